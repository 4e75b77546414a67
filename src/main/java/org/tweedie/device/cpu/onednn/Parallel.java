// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs loops on the threads of libgomp, on which oneDNN runs too, so that the two never compete for cores. A caller of {@link
 * #run} cuts the work into chunks by its shape and never by the number of threads, so that sums do not depend on that number.
 */
public final class Parallel implements AutoCloseable {
    /** The bytes of working memory of each thread: several strips, within the second cache. */
    public static final int TEMP = 1 << 17;

    /** The body of a loop. */
    public interface Body {
        /**
         * Does the work of one chunk.
         *
         * @param temp address of {@link #TEMP} bytes that no other thread uses meanwhile
         */
        public void run(int chunk, long temp);
    }

    private final int threads;
    private final long temp;
    private final Arena arena = Arena.ofShared();
    private final long entry;
    private final AtomicInteger arrived = new AtomicInteger();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private Body body;
    private int chunks;

    public Parallel(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("device 'cpu': expected at least 1 thread, got " + threads);
        }
        this.threads = threads;
        temp = arena.allocate((long) threads * TEMP, 4096).address();
        try {
            var work = MethodHandles.lookup().bind(this, "work", MethodType.methodType(void.class, long.class));
            entry = Linker.nativeLinker().upcallStub(work, FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), arena).address();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    public int threads() {
        return threads;
    }

    /**
     * Tells libgomp how many threads oneDNN uses when this thread calls it; libgomp keeps that number for each calling thread.
     */
    public void enter() {
        try {
            Dnnl.API.ompThreads().invokeExact(threads);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Returns the number of chunks for n elements in chunks of about {@code grain}. */
    public static int chunks(long n, long grain) {
        return (int) Math.max(1, Math.min(1 << 20, (n + grain - 1) / grain));
    }

    /**
     * Returns the first element of a chunk, a multiple of {@code unit}, when n elements are divided into the given number of
     * chunks.
     */
    public static long from(int chunk, int chunks, long n, long unit) {
        long units = (n + unit - 1) / unit;
        return Math.min(n, units * chunk / chunks * unit);
    }

    /** Calls the body once for each chunk, on several threads; an exception of a body is thrown here. */
    public synchronized void run(int chunks, Body body) {
        if (chunks == 1 || threads == 1) {
            for (int i = 0; i < chunks; i++) {
                body.run(i, temp);
            }
            return;
        }
        this.body = body;
        this.chunks = chunks;
        next.set(0);
        arrived.set(0);
        try {
            Dnnl.API.gompParallel().invokeExact(entry, 0L, Math.min(threads, chunks), 0);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
        this.body = null;
        Throwable thrown = failure.getAndSet(null);
        if (thrown != null) {
            throw Dnnl.rethrow(thrown);
        }
    }

    /** Does each thread's share. An exception must not pass through C frames, so it is stored. */
    private void work(long unused) {
        try {
            Body f = body;
            long own = temp + (long) arrived.getAndIncrement() * TEMP;
            for (int i = next.getAndIncrement(); i < chunks; i = next.getAndIncrement()) {
                f.run(i, own);
            }
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
            next.set(chunks);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
