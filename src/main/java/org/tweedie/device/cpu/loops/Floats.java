// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.lang.foreign.MemorySegment;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Copies tensors into native memory: numbers of any float type to F32 or BF16, rounding to nearest, and integers to I64. F64
 * comes to BF16 by way of F32.
 */
public final class Floats {
    private static final int GRAIN = 1 << 18;
    /**
     * The numbers of one call: they fit into a thread's working memory, and a conversion that the JVM has just compiled is
     * entered soon.
     */
    private static final int PIECE = 1 << 12;

    private Floats() {}

    /** Converts numbers in native memory. */
    private interface Strip {
        void convert(long from, long to, int n);
    }

    /** Copies floats to F32 and integers to I64, on all threads. */
    public static void copy(Tensor t, long to, Parallel parallel) {
        copy(t, t.dtype().isFloat() ? DType.F32 : DType.I64, to, parallel);
    }

    /**
     * Copies a tensor in another type, on all threads.
     *
     * @param as F32 or BF16 for a tensor of any float type, I64 for one of any integer type
     */
    public static void copy(Tensor t, DType as, long to, Parallel parallel) {
        int chunks = Parallel.chunks(t.size(), GRAIN);
        parallel.run(chunks, (k, temp) -> {
            long first = Parallel.from(k, chunks, t.size(), 1);
            copy(t, first, (int) (Parallel.from(k + 1, chunks, t.size(), 1) - first), as, to, temp);
        });
        if (t.data().isMapped()) {
            t.data().unload(); // the file's pages are not needed any more; otherwise weights would be resident twice
        }
    }

    /**
     * Copies a range of a tensor in another type.
     *
     * @param first, n the range's first element and its length
     * @param to the address of the tensor's first element, which need not be in the range
     * @param temp the working memory of a thread
     */
    private static void copy(Tensor t, long first, int n, DType as, long to, long temp) {
        int in = t.dtype().bytes();
        int out = as.bytes();
        Strip strip = strip(t.dtype(), as);
        for (int i = 0; i < n; i += PIECE) {
            int count = Math.min(PIECE, n - i);
            long from = temp;
            if (t.data().isNative()) { // by address, because a segment may belong to another thread
                from = t.data().address() + in * (first + i);
            } else {
                MemorySegment.copy(t.data(), in * (first + i), Native.ALL, temp, (long) in * count);
            }
            strip.convert(from, to + out * (first + i), count);
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

    private static Strip strip(DType from, DType to) {
        if (from == to) {
            return (source, target, n) -> MemorySegment.copy(Native.ALL, source, Native.ALL, target, (long) n * to.bytes());
        }
        return switch (to) {
            case F32 -> switch (from) {
                case F16 -> Halves::toFloats;
                case BF16 -> Brain::widenExactly;
                case F64 -> Floats::doubles;
                default -> throw unexpected(from, to);
            };
            case BF16 -> switch (from) {
                case F16 -> Halves::toBrains;
                case F32 -> Brain::narrow;
                case F64 -> Floats::doublesToBrains;
                default -> throw unexpected(from, to);
            };
            case I64 -> (source, target, n) -> integers(from, source, target, n);
            default -> throw unexpected(from, to);
        };
    }

    private static IllegalArgumentException unexpected(DType from, DType to) {
        return new IllegalArgumentException("device 'cpu' does not convert " + from + " to " + to);
    }

    private static void doubles(long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.FLOAT, to + 4L * i, (float) Native.ALL.get(Native.DOUBLE, from + 8L * i));
        }
    }

    private static void doublesToBrains(long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.SHORT, to + 2L * i, Rounding.toBf16((float) Native.ALL.get(Native.DOUBLE, from + 8L * i)));
        }
    }

    private static void integers(DType type, long from, long to, int n) {
        Tensor t = new Tensor(type, Shape.of(n), Native.ALL.asSlice(from, (long) n * type.bytes()));
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.LONG, to + 8L * i, (long) t.get(i));
        }
    }
}
