// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.launch.MachineOptions.Approximation;

/**
 * The approximate instructions. The PTX ISA bounds their error; {@link Approximation#WORST} gives results at that bound. The
 * bounds (PTX ISA 8.5) are: ex2 2 ulp, lg2 2^-22 absolute within (0.5, 2) and 2^-22 relative elsewhere, sin and cos 2^-20.9
 * absolute in [-pi, pi], tanh 2^-11 relative, rcp 1 ulp, rsqrt 2^-22.9 relative, sqrt 2^-23 relative, div 2 ulp.
 */
public final class Approximate {
    private Approximate() {}

    @FunctionalInterface
    private interface Exact {
        double of(double a, double b);
    }

    private static final double ULP = 0x1p-23;
    private static final double SIN = Math.pow(2, -20.9);
    private static final double RSQRT = Math.pow(2, -22.9);

    /**
     * Returns an approximate instruction on f32, or null where there is none of this name.
     *
     * @param name the name with its modifiers but without the type and ftz
     */
    public static Lanes.Function f32(String name, boolean ftz, Approximation mode) {
        Exact f = switch (name) {
            case "ex2.approx" -> (a, _) -> Math.pow(2, a);
            case "lg2.approx" -> (a, _) -> log2(a);
            case "sin.approx" -> (a, _) -> Math.sin(a);
            case "cos.approx" -> (a, _) -> Math.cos(a);
            case "tanh.approx" -> (a, _) -> Math.tanh(a);
            case "rcp.approx" -> (a, _) -> 1 / a;
            case "rsqrt.approx" -> (a, _) -> 1 / Math.sqrt(a);
            case "sqrt.approx" -> (a, _) -> Math.sqrt(a);
            case "div.approx", "div.full" -> (a, b) -> a / b;
            default -> null;
        };
        if (f == null) {
            return null;
        }
        return (a, b, _) -> {
            float x = Float.intBitsToFloat((int) (ftz ? FloatArithmetic.flush(a) : a));
            float y = Float.intBitsToFloat((int) (ftz ? FloatArithmetic.flush(b) : b));
            double exact = f.of(x, y);
            double off = mode == Approximation.WORST && Double.isFinite(exact) ? error(name, x, exact) * ((a & 1) == 0 ? 1 : -1)
                    : 0;
            long bits = FloatArithmetic.raw((float) (exact + off));
            return ftz ? FloatArithmetic.flush(bits) : bits;
        };
    }

    private static double log2(double a) {
        return a == 0 ? Double.NEGATIVE_INFINITY : Math.log(a) / Math.log(2);
    }

    /** Returns the allowed error, less the half unit that rounding may add. */
    private static double error(String name, double x, double y) {
        double size = Math.abs(y);
        return switch (name) {
            case "ex2.approx", "div.approx", "div.full" -> size == 0 || size == 1 && x == 0 ? 0 : 1.5 * ULP * size;
            case "lg2.approx" -> x > 0.5 && x < 2 ? 0x1p-22 - ULP * size / 2 : (0x1p-22 - ULP / 2) * size;
            case "sin.approx", "cos.approx" -> SIN - ULP * size / 2;
            case "tanh.approx" -> 0x1p-11 * size;
            case "rsqrt.approx" -> (RSQRT - ULP / 2) * size;
            default -> ULP / 2 * size;
        };
    }
}
