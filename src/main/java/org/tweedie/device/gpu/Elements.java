// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Tensor;

/** Numbers in the types in which a GPU stores them. */
public final class Elements {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Elements() {}

    /** Stores x, rounded to nearest, as the i-th element. */
    public static void put(MemorySegment s, DType t, long i, double x) {
        switch (t) {
            case F32 -> s.set(FLOAT, 4 * i, (float) x);
            case F16 -> s.set(SHORT, 2 * i, Float.floatToFloat16((float) x));
            case BF16 -> s.set(SHORT, 2 * i, Rounding.toBf16((float) x));
            case I64 -> s.set(LONG, 8 * i, (long) x);
            default -> throw new IllegalArgumentException("gpu: nothing is stored as " + t);
        }
    }

    /** A tensor's bytes when stored as {@code to}: its own if it is so stored. */
    public static MemorySegment packed(Tensor x, DType to) {
        if (x.dtype() == to) {
            return x.data();
        }
        long n = x.size();
        MemorySegment s = MemorySegment.ofArray(new long[Math.toIntExact((n * to.bytes() + 7) / 8)]).asSlice(0, n * to.bytes());
        for (long i = 0; i < n; i++) {
            put(s, to, i, x.get(i));
        }
        return s;
    }
}
