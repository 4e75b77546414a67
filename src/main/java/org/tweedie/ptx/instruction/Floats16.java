// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.program.Rounding;

/** Converts 16-bit floating point from and to its bits, and handles packed pairs of it (the first is in the low half). */
public final class Floats16 {
    private Floats16() {}

    static float value(long bits, boolean bf16) {
        return bf16 ? Rounding.fromBf16((short) bits) : Float.float16ToFloat((short) bits);
    }

    /** Rounds to nearest, ties to even. */
    public static long bits(float x, boolean bf16) {
        if (Float.isNaN(x)) {
            return 0x7FFF;
        }
        return (bf16 ? Rounding.toBf16(x) : Float.floatToFloat16(x)) & 0xFFFFL;
    }

    /**
     * Rounds a value that is known in double, with one rounding in effect. For a sum or product of two 16-bit numbers, the way
     * through float has that effect already.
     */
    public static long bits(double x, boolean bf16) {
        float f = (float) x;
        if (f != x && !Float.isNaN(f)) { // round to odd on the way, so that the second rounding sees on which side the value is
            int raw = Float.floatToRawIntBits(f);
            boolean away = Math.abs((double) f) > Math.abs(x);
            if ((raw & 1) == 0) {
                f = Float.intBitsToFloat(away ? raw - 1 : raw + 1);
            }
        }
        return bits(f, bf16);
    }

    /** Applies a function of two or three numbers to both halves of packed pairs. */
    static Lanes.Function pairs(Lanes.Function f) {
        return (a, b, c) -> f.of(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF) & 0xFFFF
                | (f.of(a >>> 16 & 0xFFFF, b >>> 16 & 0xFFFF, c >>> 16 & 0xFFFF) & 0xFFFF) << 16;
    }
}
