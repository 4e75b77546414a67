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
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    public static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    public static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** The bytes of a page of memory. */
    public static final long PAGE = 4096;

    /** The bytes of a cache line and of the widest vector. */
    static final long ALIGN = 64;

    private static final MethodHandle ALIGNED_ALLOC = libc("aligned_alloc",
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = libc("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

    // mmap, mprotect and madvise of Linux on x86-64
    private static final MethodHandle MMAP = libc("mmap", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
    private static final MethodHandle MUNMAP = libc("munmap", call(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle MPROTECT = libc("mprotect", call(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT));
    private static final MethodHandle MADVISE = libc("madvise", call(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT));
    private static final MethodHandle TRIM = libc("malloc_trim", call(ValueLayout.JAVA_LONG));
    private static final int NO_ACCESS = 0;
    private static final int READ_WRITE = 3;
    private static final int PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
    private static final int DONTNEED = 4;
    private static final long FAILED = -1;

    private Native() {}

    private static FunctionDescriptor call(ValueLayout... arguments) {
        return FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments);
    }

    /** Reserves addresses without memory behind them. @throws OutOfMemoryError when the system refuses */
    public static long reserve(long bytes) {
        try {
            long address = map(bytes, NO_ACCESS);
            if (address == FAILED) {
                throw new OutOfMemoryError("device 'cpu': the system refuses " + (bytes >> 30)
                        + " GiB of addresses for arenas; is 'ulimit -v' set?");
            }
            return address;
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    private static long map(long bytes, int access) throws Throwable {
        return (long) MMAP.invokeExact(0L, bytes, access, PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
    }

    /** Gives back reserved addresses and the memory behind them. */
    public static void unreserve(long address, long bytes) {
        try {
            succeed((int) MUNMAP.invokeExact(address, bytes));
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Makes reserved addresses usable; memory comes when they are first written. */
    public static void use(long address, long bytes) {
        try {
            succeed((int) MPROTECT.invokeExact(address, bytes, READ_WRITE));
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Gives back the memory behind reserved addresses, which stay reserved. */
    public static void discard(long address, long bytes) {
        try {
            succeed((int) MADVISE.invokeExact(address, bytes, DONTNEED));
            succeed((int) MPROTECT.invokeExact(address, bytes, NO_ACCESS));
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Gives memory that the C library keeps after others have freed it back to the system: descriptors take much of it. */
    public static void trim() {
        try {
            int _ = (int) TRIM.invokeExact(0L);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    private static void succeed(int status) {
        if (status != 0) {
            throw new OutOfMemoryError("device 'cpu': the system refuses memory for an arena");
        }
    }

    private static MethodHandle libc(String name, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
    }

    public static long roundUp(long bytes) {
        return (bytes + ALIGN - 1) / ALIGN * ALIGN;
    }

    /**
     * Blocks of native memory of one owner, whose bytes are counted. Large blocks are mapped, so that all of their memory goes
     * back to the system when they are freed; the C library would keep much of it.
     */
    public static final class Heap {
        private static final long LARGE = 1 << 16;

        private final AtomicLong live = new AtomicLong();
        private final AtomicLong peak = new AtomicLong();
        private final AtomicLong next = new AtomicLong(1L << 20);
        private final boolean counts;

        /** Makes a heap. @param counts whether it only counts: it takes no memory, and gives addresses that nothing may use */
        public Heap(boolean counts) {
            this.counts = counts;
        }

        public Heap() {
            this(false);
        }

        /** Returns whether its addresses are of no memory. */
        public boolean counts() {
            return counts;
        }

        /**
         * Allocates uninitialised memory at a multiple of {@link #ALIGN}.
         *
         * @throws OutOfMemoryError naming the size and what is live
         */
        public long allocate(long bytes) {
            long size = size(bytes);
            if (counts) {
                count(size);
                return next.getAndAdd(size);
            }
            try {
                long address = size < LARGE ? (long) ALIGNED_ALLOC.invokeExact(ALIGN, size) : map(size, READ_WRITE);
                if (address == 0 || address == FAILED) {
                    throw new OutOfMemoryError("device 'cpu': there is no memory for " + (size >> 20) + " MiB more, "
                            + (live.get() >> 20)
                            + " MiB are live; try a smaller image");
                }
                count(size);
                return address;
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        private void count(long bytes) {
            long now = live.addAndGet(bytes);
            peak.accumulateAndGet(now, Math::max);
        }

        public void free(long address, long bytes) {
            try {
                long size = size(bytes);
                if (!counts && size < LARGE) {
                    FREE.invokeExact(address);
                } else if (!counts) {
                    unreserve(address, size);
                }
                count(-size);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        public long liveBytes() {
            return live.get();
        }

        /** Returns the most bytes that were live at once. */
        public long peakBytes() {
            return peak.get();
        }

        /**
         * Returns the bytes of a block, which are a cache line more than asked for, since loops read whole vectors from any
         * start; of a large block, whole pages.
         */
        private static long size(long bytes) {
            long size = roundUp(bytes) + ALIGN;
            return size < LARGE ? size : (size + PAGE - 1) / PAGE * PAGE;
        }
    }
}
