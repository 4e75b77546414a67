// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.tweedie.device.cpu.onednn.Native;

/**
 * Converts strips of halves (F16), a vector at a time, by arithmetic on their bits. A half has a sign, 5 bits of exponent and 10
 * of mantissa. Strips lie in native memory at any address.
 */
final class Halves {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int L = INTS.length();
    private static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, VectorShape.forBitSize(16 * L));

    private static final int SHIFT = 13; // the mantissa of F32 has 13 bits more
    private static final int REBIAS = (127 - 15) << 23;
    private static final int SMALLEST = 0x0400; // the smallest normal half
    private static final int INFINITY = 0x7C00;
    private static final int F32_SMALLEST = (127 - 14) << 23; // the bits of 2^-14, the smallest normal half

    private Halves() {}

    /** Converts halves to F32, which is exact, also for subnormals and infinities. A NaN becomes a NaN. */
    static void toFloats(long from, long to, int n) {
        int i = 0;
        for (; i <= n - L; i += L) {
            widened(shorts(from + 2L * i)).intoMemorySegment(Native.ALL, to + 4L * i, Native.ORDER);
        }
        for (; i < n; i++) {
            Native.ALL.set(Native.FLOAT, to + 4L * i, Float.float16ToFloat(Native.ALL.get(Native.SHORT, from + 2L * i)));
        }
    }

    /** Converts halves to BF16, rounding to nearest, ties to even. A NaN becomes that of {@link Brain}. */
    static void toBrains(long from, long to, int n) {
        int i = 0;
        for (; i <= n - L; i += L) {
            Brain.storeNarrow(widened(shorts(from + 2L * i)).reinterpretAsFloats(), to + 2L * i);
        }
        for (; i < n; i++) {
            Brain.set(to + 2L * i, Float.float16ToFloat(Native.ALL.get(Native.SHORT, from + 2L * i)));
        }
    }

    private static IntVector shorts(long address) {
        return (IntVector) ShortVector.fromMemorySegment(SHORTS, Native.ALL, address, Native.ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
    }

    /** Returns the F32 bits of halves. */
    private static IntVector widened(IntVector half) {
        IntVector magnitude = half.and(0x7FFF);
        IntVector bits = magnitude.lanewise(VectorOperators.LSHL, SHIFT).add(REBIAS);
        // infinity and NaN have the largest exponent of either type
        bits = bits.add(REBIAS, magnitude.compare(VectorOperators.GE, INFINITY));
        // a subnormal m is 2^-14 m/1024: 2^-14 (1 + m/1024), whose bits are known, less 2^-14, which is exact
        FloatVector smallest = FloatVector.broadcast(VectorMath.S, Float.intBitsToFloat(F32_SMALLEST));
        IntVector subnormal = magnitude.lanewise(VectorOperators.LSHL, SHIFT).add(F32_SMALLEST).reinterpretAsFloats()
                .sub(smallest).reinterpretAsInts();
        bits = bits.blend(subnormal, magnitude.compare(VectorOperators.LT, SMALLEST));
        return bits.or(half.and(0x8000).lanewise(VectorOperators.LSHL, 16));
    }
}
