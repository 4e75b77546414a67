// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.plan;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Tensor;

/** Converts numbers to the types in which a GPU stores them. */
public final class Elements {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int BLOCK = 4096; // converted at once, in arrays that stay in the first cache

    private Elements() {}

    /** Stores x, rounded to nearest, as the i-th element. */
    public static void put(MemorySegment s, DType t, long i, double x) {
        switch (t) {
            case F32 -> s.set(FLOAT, 4 * i, (float) x);
            case F16 -> s.set(SHORT, 2 * i, Float.floatToFloat16((float) x));
            case BF16 -> s.set(SHORT, 2 * i, Rounding.toBf16((float) x));
            case I64 -> s.set(LONG, 8 * i, (long) x);
            default -> throw refused(t);
        }
    }

    /**
     * Stores elements of a tensor, as {@link #put} does each of them.
     *
     * @param from index of the first element
     * @param chunk memory to fill: its size says how many elements are stored
     */
    public static void pack(Tensor x, long from, DType to, MemorySegment chunk) {
        if (x.dtype() == to) {
            chunk.copyFrom(x.data().asSlice(from * to.bytes(), chunk.byteSize()));
            return;
        }
        long n = chunk.byteSize() / to.bytes();
        if (to == DType.I64) {
            for (long i = 0; i < n; i++) {
                put(chunk, to, i, x.get(from + i));
            }
            return;
        }
        float[] block = new float[(int) Math.min(BLOCK, n)];
        short[] bits = new short[block.length];
        for (long i = 0; i < n; i += BLOCK) {
            int m = (int) Math.min(BLOCK, n - i);
            read(x, from + i, block, bits, m);
            write(block, bits, m, to, chunk, i);
        }
    }

    private static void read(Tensor x, long from, float[] block, short[] bits, int n) {
        switch (x.dtype()) {
            case F32 -> MemorySegment.copy(x.data(), FLOAT, 4 * from, block, 0, n);
            case F16 -> {
                MemorySegment.copy(x.data(), SHORT, 2 * from, bits, 0, n);
                for (int i = 0; i < n; i++) {
                    block[i] = Float.float16ToFloat(bits[i]);
                }
            }
            case BF16 -> {
                MemorySegment.copy(x.data(), SHORT, 2 * from, bits, 0, n);
                for (int i = 0; i < n; i++) {
                    block[i] = Rounding.fromBf16(bits[i]);
                }
            }
            case F64 -> {
                double[] doubles = new double[n];
                MemorySegment.copy(x.data(), DOUBLE, 8 * from, doubles, 0, n);
                for (int i = 0; i < n; i++) {
                    block[i] = (float) doubles[i];
                }
            }
            default -> {
                for (int i = 0; i < n; i++) {
                    block[i] = (float) x.get(from + i);
                }
            }
        }
    }

    private static void write(float[] block, short[] bits, int n, DType to, MemorySegment chunk, long at) {
        switch (to) {
            case F32 -> MemorySegment.copy(block, 0, chunk, FLOAT, 4 * at, n);
            case F16 -> {
                for (int i = 0; i < n; i++) {
                    bits[i] = Float.floatToFloat16(block[i]);
                }
                MemorySegment.copy(bits, 0, chunk, SHORT, 2 * at, n);
            }
            case BF16 -> {
                for (int i = 0; i < n; i++) {
                    bits[i] = Rounding.toBf16(block[i]);
                }
                MemorySegment.copy(bits, 0, chunk, SHORT, 2 * at, n);
            }
            default -> throw refused(to);
        }
    }

    private static IllegalArgumentException refused(DType t) {
        return new IllegalArgumentException("gpu: nothing is stored as " + t);
    }
}
