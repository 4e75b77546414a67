// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import java.math.BigInteger;
import org.tweedie.ptx.text.PtxNumbers;

/** The conversions of cvt between the scalar types, as functions on bits. */
public final class Convert {
    private Convert() {}

    /**
     * Returns the function of a conversion, or null where it is not known.
     *
     * @param how the modifiers for rounding and saturation
     */
    public static Lanes.Function of(String to, String from, String how) {
        boolean sat = how.contains("sat");
        String round = how.replace("sat", "").replace("ftz", "").replace(".", "");
        if (isInt(to) && isInt(from)) {
            int bits = 8 * PtxNumbers.bytes(from);
            boolean signed = from.startsWith("s");
            int toBits = 8 * PtxNumbers.bytes(to);
            boolean toSigned = to.startsWith("s");
            return sat || !round.isEmpty() ? null : (a, _, _) -> Arithmetic.extend(Arithmetic.extend(a, bits, signed), toBits,
                    toSigned);
        }
        Read read = isInt(from) ? null : reader(from);
        if (isInt(to)) {
            return read == null ? null : toInt(read, to, round);
        }
        Write write = writer(to);
        if (write == null) {
            return null;
        }
        if (read == null) {
            return round.equals("rn") ? fromInt(from, to, write) : null;
        }
        if (sat) {
            return round.isEmpty() && to.equals("f32") && from.equals("f32")
                    ? (a, _, _) -> write.of(Double.isNaN(read.of(a)) ? 0 : Math.clamp(read.of(a), 0.0, 1.0)) : null;
        }
        boolean rounds = PtxNumbers.bytes(to) < PtxNumbers.bytes(from);
        if (rounds ? !round.equals("rn") : !round.isEmpty() && !round.endsWith("i")) {
            return null;
        }
        return round.endsWith("i") ? (a, _, _) -> write.of(whole(read.of(a), round)) : (a, _, _) -> write.of(read.of(a));
    }

    private interface Read {
        public double of(long bits);
    }

    private interface Write {
        public long of(double x);
    }

    public static boolean isInt(String type) {
        return type.matches("[usb](8|16|32|64)");
    }

    private static Read reader(String type) {
        return switch (type) {
            case "f32" -> a -> Float.intBitsToFloat((int) a);
            case "f64" -> Double::longBitsToDouble;
            case "f16" -> a -> Floats16.value(a, false);
            case "bf16" -> a -> Floats16.value(a, true);
            default -> null;
        };
    }

    private static Write writer(String type) {
        return switch (type) {
            case "f32" -> x -> FloatArithmetic.raw((float) x);
            case "f64" -> Double::doubleToRawLongBits;
            case "f16" -> x -> Floats16.bits(x, false);
            case "bf16" -> x -> Floats16.bits(x, true);
            default -> null;
        };
    }

    private static double whole(double x, String round) {
        return switch (round) {
            case "rni" -> Math.rint(x);
            case "rzi" -> x < 0 ? Math.ceil(x) : Math.floor(x);
            case "rmi" -> Math.floor(x);
            default -> Math.ceil(x);
        };
    }

    /** Converts to the nearest integer that the type can represent; NaN gives 0. */
    private static Lanes.Function toInt(Read read, String to, String round) {
        if (!round.matches("r[nzmp]i")) {
            return null;
        }
        int bits = 8 * PtxNumbers.bytes(to);
        boolean signed = to.startsWith("s");
        double top = Math.scalb(1.0, signed ? bits - 1 : bits);
        return (a, _, _) -> {
            double x = whole(read.of(a), round);
            if (x >= top) {
                return signed ? (1L << bits - 1) - 1 : -1L >>> 64 - bits;
            }
            if (Double.isNaN(x) || x < (signed ? -top : 0)) {
                return Double.isNaN(x) || !signed ? 0 : 1L << bits - 1;
            }
            return x >= 0x1p63 ? (long) (x - 0x1p63) + Long.MIN_VALUE : (long) x;
        };
    }

    private static Lanes.Function fromInt(String from, String to, Write write) {
        int bits = 8 * PtxNumbers.bytes(from);
        boolean signed = from.startsWith("s");
        if (bits == 64 && to.equals("f32")) { // a conversion through double would round twice
            return (a, _, _) -> FloatArithmetic.raw(signed ? a : new BigInteger(Long.toUnsignedString(a)).floatValue());
        }
        return (a, _, _) -> {
            long v = Arithmetic.extend(a, bits, signed);
            return write.of(signed || v >= 0 ? v : new BigInteger(Long.toUnsignedString(v)).doubleValue());
        };
    }
}
