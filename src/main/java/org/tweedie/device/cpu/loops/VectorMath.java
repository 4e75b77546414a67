// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.tweedie.device.cpu.onednn.Native;

/** Loads, stores and the two transcendental functions of F32 vectors. The polynomials are our own minimax fits. */
public final class VectorMath {
    static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
    /** The lanes of a vector. */
    public static final int L = S.length();

    private static final MemorySegment ALL = Native.ALL;

    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f; // it has 10 bits, so n LN2_HIGH is exact
    private static final float LN2_LOW = -2.12194440e-4f;
    /** Adding and subtracting this number rounds to a whole number, which after the addition is in the low bits. */
    private static final float ROUNDER = 0x1.8p23f;
    private static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);
    private static final float SQRT_HALF = (float) Math.sqrt(0.5);

    private VectorMath() {}

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(S, ALL, address, Native.ORDER);
    }

    static void store(FloatVector v, long address) {
        v.intoMemorySegment(ALL, address, Native.ORDER);
    }

    static FloatVector all(float x) {
        return FloatVector.broadcast(S, x);
    }

    public static float get(long address) {
        return ALL.get(Native.FLOAT, address);
    }

    static void set(long address, float x) {
        ALL.set(Native.FLOAT, address, x);
    }

    /**
     * Computes e^min(x, max) to about one unit in the last place: 2^n e^r with |r| below ln(2)/2, and e^r = 1 + r + r^2 q(r). It
     * underflows to 0.
     *
     * @param max 88 for a finite result, 89 for infinity where e^x overflows; not above
     */
    static FloatVector exp(FloatVector x, float max) {
        FloatVector c = x.max(-104f).min(max); // NaN is kept
        FloatVector z = c.fma(all(LOG2_E), all(ROUNDER));
        FloatVector n = z.sub(ROUNDER);
        FloatVector r = n.fma(all(-LN2_HIGH), c);
        r = n.fma(all(-LN2_LOW), r);
        FloatVector q = all(0.0013814599951729178f).fma(r, all(0.008368716575205326f)).fma(r, all(0.04166838899254799f))
                .fma(r, all(0.1666652113199234f)).fma(r, all(0.4999999403953552f));
        FloatVector e = q.fma(r.mul(r), r).add(1f);
        // 2^n is applied in two factors, since n exceeds the exponents of normal numbers on both sides
        IntVector whole = z.reinterpretAsInts().sub(ROUNDER_BITS);
        IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
        return e.mul(power(half)).mul(power(whole.sub(half)));
    }

    private static FloatVector power(IntVector n) {
        return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    }

    /**
     * Computes the normal distribution function, given e = exp(-x^2/2). It is half of erfc(z) = e t p(t) with z = |x|/sqrt(2), t
     * = 1/(1 + 0.4 z), where p is fitted to a relative 6e-9, and it is mirrored for x above 0.
     */
    static FloatVector normalCdf(FloatVector x, FloatVector e) {
        FloatVector t = all(1).div(x.abs().mul(SQRT_HALF).fma(all(0.4f), all(1f)));
        FloatVector s = t.add(t).sub(1f);
        FloatVector p = all(-2.8530257623060606e-05f).fma(s, all(-1.0993921023327857e-05f)).fma(s, all(0.00026489380979910493f))
                .fma(s, all(0.00016598505317233503f)).fma(s, all(-0.00191998272202909f)).fma(s, all(-0.0033535517286509275f))
                .fma(s, all(0.011343042366206646f)).fma(s, all(0.06849987059831619f)).fma(s, all(0.1815657615661621f))
                .fma(s, all(0.32186076045036316f)).fma(s, all(0.4216127395629883f));
        FloatVector tail = p.mul(t).mul(e).mul(0.5f);
        return tail.blend(all(1).sub(tail), x.test(VectorOperators.IS_NEGATIVE).not());
    }
}
