// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;

/** Accesses memory outside of the heap by address, as in C: kernels get addresses that the memory plan has checked. */
public final class Native {
    /** A segment of the whole address space. It is static and final, so that accesses compile to plain loads and stores. */
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    public static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    public static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** The bytes of a cache line and of the widest vector. */
    static final long ALIGN = 64;

    private static final MethodHandle ALIGNED_ALLOC = libc("aligned_alloc",
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = libc("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

    private Native() {}

    private static MethodHandle libc(String name, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
    }

    public static long roundUp(long bytes) {
        return (bytes + ALIGN - 1) / ALIGN * ALIGN;
    }

    /** Blocks of native memory of one owner, whose bytes are counted. */
    public static final class Heap {
        private final AtomicLong live = new AtomicLong();

        /**
         * Allocates uninitialised memory at a multiple of {@link #ALIGN}.
         *
         * @throws OutOfMemoryError naming the size and what is live
         */
        public long allocate(long bytes) {
            long size = size(bytes);
            try {
                long address = (long) ALIGNED_ALLOC.invokeExact(ALIGN, size);
                if (address == 0) {
                    throw new OutOfMemoryError("device 'cpu': there is no memory for " + (size >> 20) + " MiB more, "
                            + (live.get() >> 20)
                            + " MiB are live; try a smaller image");
                }
                live.addAndGet(size);
                return address;
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        public void free(long address, long bytes) {
            try {
                FREE.invokeExact(address);
                live.addAndGet(-size(bytes));
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        public long liveBytes() {
            return live.get();
        }

        /**
         * Returns the bytes of a block, which are a cache line more than asked for, since loops read whole vectors from any
         * start.
         */
        private static long size(long bytes) {
            return roundUp(bytes) + ALIGN;
        }
    }
}
