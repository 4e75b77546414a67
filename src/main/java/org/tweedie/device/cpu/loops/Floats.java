// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Copies tensors of any float type to F32 or BF16 in native memory, rounding to nearest, and integers to I64. */
public final class Floats {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final long GRAIN = 1 << 18;

    private Floats() {}

    /** @param as the type in memory: F32 or BF16, or I64 for integers */
    public static void copy(Tensor t, DType as, long to, Parallel parallel) {
        if (as == DType.BF16) {
            brains(t, to, parallel);
        } else {
            convert(t, to, parallel);
        }
        if (t.data().isMapped()) {
            t.data().unload(); // the file's pages are not needed any more; otherwise weights would be resident twice
        }
    }

    /**
     * Returns a new tensor with the numbers at an address.
     *
     * @param type the type in memory: F32, I64 or BF16, of which the tensor has F32
     */
    public static Tensor read(long from, DType type, Shape shape) {
        int n = Math.toIntExact(shape.size());
        if (type == DType.BF16) {
            float[] to = new float[n];
            for (int i = 0; i < n; i++) {
                to[i] = Brain.get(from + 2L * i);
            }
            return Tensor.of(shape, to);
        }
        MemorySegment to = type == DType.I64 ? MemorySegment.ofArray(new long[n]) : MemorySegment.ofArray(new float[n]);
        MemorySegment.copy(Native.ALL, from, to, 0, to.byteSize());
        return new Tensor(type, shape, to);
    }

    private static void convert(Tensor t, long to, Parallel parallel) {
        long n = t.size();
        if (t.dtype() == DType.F32) {
            MemorySegment.copy(t.data(), 0, Native.ALL, to, 4 * n);
            return;
        }
        if (!t.dtype().isFloat()) {
            for (long i = 0; i < n; i++) {
                Native.ALL.set(Native.LONG, to + 8 * i, t.dtype() == DType.I64 ? t.data().get(Native.LONG, 8 * i)
                        : (long) t.get(i));
            }
            return;
        }
        // access is by address, because a segment may belong to the calling thread only
        MemorySegment from = t.data().isNative() ? Native.ALL : t.data();
        long base = t.data().isNative() ? t.data().address() : 0;
        int chunks = Parallel.chunks(n, GRAIN);
        parallel.run(chunks, (k, temp) -> {
            long first = Parallel.from(k, chunks, n, 1);
            int count = (int) (Parallel.from(k + 1, chunks, n, 1) - first);
            switch (t.dtype()) {
                case F16 -> half(from, base + 2 * first, to + 4 * first, count);
                case BF16 -> brain(from, base + 2 * first, to + 4 * first, count);
                default -> doubles(from, base + 8 * first, to + 4 * first, count);
            }
        });
    }

    /** Converts to BF16 by way of F32 strips in working memory. */
    private static void brains(Tensor t, long to, Parallel parallel) {
        long n = t.size();
        if (t.dtype() == DType.BF16) {
            MemorySegment.copy(t.data(), 0, Native.ALL, to, 2 * n);
            return;
        }
        MemorySegment from = t.data().isNative() ? Native.ALL : t.data();
        long base = t.data().isNative() ? t.data().address() : 0;
        int chunks = Parallel.chunks(n, GRAIN);
        parallel.run(chunks, (k, temp) -> {
            long end = Parallel.from(k + 1, chunks, n, 1);
            for (long i = Parallel.from(k, chunks, n, 1); i < end; i += Strips.STRIP) {
                int count = (int) Math.min(Strips.STRIP, end - i);
                switch (t.dtype()) {
                    case F16 -> half(from, base + 2 * i, temp, count);
                    case F32 -> MemorySegment.copy(from, base + 4 * i, Native.ALL, temp, 4L * count);
                    default -> doubles(from, base + 8 * i, temp, count);
                }
                Brain.narrow(temp, to + 2 * i, count);
            }
        });
    }

    private static void half(MemorySegment s, long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.FLOAT, to + 4L * i, Float.float16ToFloat(s.get(SHORT, from + 2L * i)));
        }
    }

    private static void brain(MemorySegment s, long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.INT, to + 4L * i, s.get(SHORT, from + 2L * i) << 16);
        }
    }

    private static void doubles(MemorySegment s, long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.FLOAT, to + 4L * i, (float) s.get(Native.DOUBLE, from + 8L * i));
        }
    }
}
