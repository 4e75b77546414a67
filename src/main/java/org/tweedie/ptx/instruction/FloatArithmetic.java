// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

/**
 * The floating-point instructions as functions on bits. Rounding is to nearest unless a modifier asks for another; subnormals are
 * kept unless ftz is given.
 */
final class FloatArithmetic {
    private FloatArithmetic() {}

    @FunctionalInterface
    private interface F {
        double of(double a, double b, double c);
    }

    private static float f(long bits) {
        return Float.intBitsToFloat((int) bits);
    }

    private static double d(long bits) {
        return Double.longBitsToDouble(bits);
    }

    static Lanes.Function f32(String name, String how) {
        boolean ftz = how.endsWith("ftz") || how.contains("ftz.");
        boolean sat = how.endsWith("sat");
        String h = how.replaceAll("\\.?(ftz|sat)", "").replaceAll("^\\.", "");
        boolean nearest = h.isEmpty() || h.equals("rn");
        Lanes.Function f = switch (name) {
            case "add" -> nearest ? (a, b, _) -> raw(f(a) + f(b)) : null;
            case "sub" -> nearest ? (a, b, _) -> raw(f(a) - f(b)) : null;
            case "mul" -> nearest ? (a, b, _) -> raw(f(a) * f(b)) : null;
            case "fma", "mad" -> nearest ? (a, b, c) -> raw(Math.fma(f(a), f(b), f(c))) : null;
            case "div" -> h.equals("rn") ? (a, b, _) -> raw(f(a) / f(b)) : null;
            case "sqrt" -> h.equals("rn") ? (a, _, _) -> raw((float) Math.sqrt(f(a))) : null;
            case "rcp" -> h.equals("rn") ? (a, _, _) -> raw(1 / f(a)) : null;
            case "abs" -> (a, _, _) -> a & 0x7FFFFFFFL;
            case "neg" -> (a, _, _) -> a ^ 0x80000000L;
            case "min" -> h.isEmpty() ? (a, b, _) -> raw(minimum(f(a), f(b))) : h.equals("NaN")
                    ? (a, b, _) -> raw(Math.min(f(a), f(b))) : null;
            case "max" -> h.isEmpty() ? (a, b, _) -> raw(maximum(f(a), f(b))) : h.equals("NaN")
                    ? (a, b, _) -> raw(Math.max(f(a), f(b))) : null;
            case "copysign" -> (a, b, _) -> a & 0x80000000L | b & 0x7FFFFFFFL;
            case "mov" -> (a, _, _) -> a;
            default -> null;
        };
        if (f == null || !ftz && !sat) {
            return f;
        }
        return (a, b, c) -> {
            float y = f(ftz ? f.of(flush(a), flush(b), flush(c)) : f.of(a, b, c));
            return raw(sat ? Float.isNaN(y) ? 0 : Math.clamp(y, 0f, 1f) : ftz ? f(flush(raw(y))) : y);
        };
    }

    static long flush(long bits) {
        return (bits & 0x7F800000L) == 0 ? bits & 0x80000000L : bits;
    }

    static long raw(float x) {
        return Float.isNaN(x) ? 0x7FFFFFFFL : Float.floatToRawIntBits(x) & 0xFFFFFFFFL;
    }

    /** Returns the smaller number; PTX prefers a number to NaN. */
    private static float minimum(float a, float b) {
        return Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.min(a, b);
    }

    private static float maximum(float a, float b) {
        return Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.max(a, b);
    }

    static Lanes.Function f64(String name, String how) {
        F f = switch (how.isEmpty() || how.equals("rn") ? name : name + "." + how) {
            case "add" -> (a, b, _) -> a + b;
            case "sub" -> (a, b, _) -> a - b;
            case "mul" -> (a, b, _) -> a * b;
            case "fma", "mad" -> Math::fma;
            case "div" -> (a, b, _) -> a / b;
            case "sqrt" -> (a, _, _) -> Math.sqrt(a);
            case "rcp" -> (a, _, _) -> 1 / a;
            case "min" -> (a, b, _) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.min(a, b);
            case "max" -> (a, b, _) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b);
            default -> null;
        };
        if (f != null) {
            return (a, b, c) -> Double.doubleToRawLongBits(f.of(d(a), d(b), d(c)));
        }
        return switch (name) {
            case "abs" -> (a, _, _) -> a & Long.MAX_VALUE;
            case "neg" -> (a, _, _) -> a ^ Long.MIN_VALUE;
            case "copysign" -> (a, b, _) -> a & Long.MIN_VALUE | b & Long.MAX_VALUE;
            case "mov" -> (a, _, _) -> a;
            default -> null;
        };
    }

    /** Returns an instruction on f16 or bf16: it is computed exactly and rounded once. */
    static Lanes.Function half(String name, String how, boolean bf) {
        F f = switch (how.isEmpty() || how.equals("rn") ? name : name + "." + how) {
            case "add" -> (a, b, _) -> a + b;
            case "sub" -> (a, b, _) -> a - b;
            case "mul" -> (a, b, _) -> a * b;
            case "fma" -> Math::fma;
            case "min" -> (a, b, _) -> minimum((float) a, (float) b);
            case "max" -> (a, b, _) -> maximum((float) a, (float) b);
            default -> null;
        };
        if (f != null) {
            return (a, b, c) -> Floats16.bits(f.of(Floats16.value(a, bf), Floats16.value(b, bf), Floats16.value(c, bf)), bf);
        }
        return switch (name) {
            case "abs" -> (a, _, _) -> a & 0x7FFF;
            case "neg" -> (a, _, _) -> a ^ 0x8000;
            case "mov" -> (a, _, _) -> a;
            default -> null;
        };
    }
}
