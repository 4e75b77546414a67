// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.program.Rounding;

/**
 * Converts strips of 16-bit numbers, a vector at a time, by arithmetic on their bits. A half (F16) has a sign, 5 bits of exponent
 * and 10 of mantissa; a brain float (BF16) is the upper half of an F32 number. Strips lie in native memory at any address.
 */
final class Halves {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int L = INTS.length();
    private static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, VectorShape.forBitSize(16 * L));

    private static final int SHIFT = 13; // the mantissa of F32 has 13 bits more
    private static final int REBIAS = (127 - 15) << 23;
    private static final int SMALLEST = 0x0400; // the smallest normal half
    private static final int INFINITY = 0x7C00;
    private static final int F32_INFINITY = 0x7F80_0000;
    private static final int F32_SMALLEST = (127 - 14) << 23; // the bits of 2^-14, the smallest normal half
    private static final int NAN = 0x7FFF; // what Rounding.toBf16 stores

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

    /** Converts halves to BF16, rounding to nearest, ties to even. A NaN becomes the one of {@link Rounding#toBf16}. */
    static void toBrains(long from, long to, int n) {
        int i = 0;
        for (; i <= n - L; i += L) {
            narrowed(widened(shorts(from + 2L * i)), to + 2L * i);
        }
        for (; i < n; i++) {
            float x = Float.float16ToFloat(Native.ALL.get(Native.SHORT, from + 2L * i));
            Native.ALL.set(Native.SHORT, to + 2L * i, Rounding.toBf16(x));
        }
    }

    /** Converts F32 to BF16, rounding to nearest, ties to even. */
    static void floatsToBrains(long from, long to, int n) {
        int i = 0;
        for (; i <= n - L; i += L) {
            narrowed(IntVector.fromMemorySegment(INTS, Native.ALL, from + 4L * i, Native.ORDER), to + 2L * i);
        }
        for (; i < n; i++) {
            Native.ALL.set(Native.SHORT, to + 2L * i, Rounding.toBf16(VectorMath.get(from + 4L * i)));
        }
    }

    /** Converts BF16 to F32, which is exact. */
    static void brainsToFloats(long from, long to, int n) {
        int i = 0;
        for (; i <= n - L; i += L) {
            shorts(from + 2L * i).lanewise(VectorOperators.LSHL, 16).intoMemorySegment(Native.ALL, to + 4L * i, Native.ORDER);
        }
        for (; i < n; i++) {
            Native.ALL.set(Native.INT, to + 4L * i, Native.ALL.get(Native.SHORT, from + 2L * i) << 16);
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

    /** Stores F32 bits as BF16. */
    private static void narrowed(IntVector bits, long to) {
        IntVector even = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(0x7FFF).add(even).lanewise(VectorOperators.LSHR, 16);
        rounded = rounded.blend(NAN, bits.and(Integer.MAX_VALUE).compare(VectorOperators.GT, F32_INFINITY));
        ((ShortVector) rounded.convertShape(VectorOperators.I2S, SHORTS, 0)).intoMemorySegment(Native.ALL, to, Native.ORDER);
    }
}
