// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

/** Converts to the 16-bit types and back; it rounds to nearest, ties to even, as the hardware does. */
public final class Rounding {
    private Rounding() {}

    /** The bits of the nearest bfloat16. NaN gives the canonical NaN 0x7FFF. */
    public static short toBf16(float x) {
        if (Float.isNaN(x)) {
            return 0x7FFF;
        }
        int bits = Float.floatToRawIntBits(x);
        return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
    }

    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The number that is read after x was stored as dtype (F32, F16 or BF16). */
    public static float to(DType dtype, float x) {
        return switch (dtype) {
            case F32 -> x;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(x));
            case BF16 -> fromBf16(toBf16(x));
            default -> throw new IllegalArgumentException("rounding: " + dtype + " is no real type of a device");
        };
    }
}
