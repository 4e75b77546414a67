// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

/** The scalar functions, each with its derivatives to order {@value #MAX_ORDER}. This page is their definition. */
public enum Fn {
    /** x sigmoid(x). */
    SILU,
    /** x Phi(x), with Phi the normal distribution function (the exact GELU). */
    GELU,
    /** x sigmoid(1.702 x), CLIP's GELU. */
    QUICK_GELU,
    EXP, SQRT, RSQRT, SIN, COS,
    /** min(max(x, -30), 20): the bound that AutoencoderKL puts on a log variance. */
    LOGVAR_CLAMP;

    /** Highest derivative that is defined. */
    public static final int MAX_ORDER = 3;

    /** The derivative of the given order (0: the function itself) at x. */
    public double at(int order, double x) {
        return switch (this) {
            case SILU -> swish(order, x);
            case QUICK_GELU -> Math.pow(1.702, order - 1) * swish(order, 1.702 * x);
            case GELU -> gelu(order, x);
            case EXP -> Math.exp(x);
            case SQRT -> power(order, x, 0.5);
            case RSQRT -> power(order, x, -0.5);
            case SIN -> sine(order, x);
            case COS -> sine(order + 1, x);
            case LOGVAR_CLAMP -> switch (order) {
                case 0 -> Math.min(Math.max(x, -30), 20);
                case 1 -> x > -30 && x < 20 ? 1 : 0;
                default -> 0;
            };
        };
    }

    /** Derivatives of x s(x): x s^(n) + n s^(n-1). */
    private static double swish(int order, double x) {
        double s = 1 / (1 + Math.exp(-x));
        double d1 = s * (1 - s);
        double d2 = d1 * (1 - 2 * s);
        double d3 = d1 * (1 - 6 * s + 6 * s * s);
        return switch (order) {
            case 0 -> x * s;
            case 1 -> s + x * d1;
            case 2 -> 2 * d1 + x * d2;
            default -> 3 * d2 + x * d3;
        };
    }

    private static double gelu(int order, double x) {
        double phi = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
        return switch (order) {
            case 0 -> x * normalCdf(x);
            case 1 -> normalCdf(x) + x * phi;
            case 2 -> phi * (2 - x * x);
            default -> phi * (x * x * x - 4 * x);
        };
    }

    private static double power(int order, double x, double p) {
        double c = 1;
        for (int i = 0; i < order; i++) {
            c *= p - i;
        }
        return c * Math.pow(x, p - order);
    }

    private static double sine(int order, double x) {
        return switch (order & 3) {
            case 0 -> Math.sin(x);
            case 1 -> Math.cos(x);
            case 2 -> -Math.sin(x);
            default -> -Math.cos(x);
        };
    }

    /**
     * The normal distribution function to about 1e-15: the Taylor series of its integral for |x| below 3, else the continued
     * fraction of Mills' ratio (Abramowitz and Stegun 26.2.11 and 26.2.14).
     */
    public static double normalCdf(double x) {
        double a = Math.abs(x);
        double phi = Math.exp(-a * a / 2) / Math.sqrt(2 * Math.PI);
        if (a < 3) {
            double term = a;
            double sum = a;
            for (int k = 1; Math.abs(term) > 1e-17 * sum; k++) {
                term *= a * a / (2 * k + 1);
                sum += term;
            }
            return x < 0 ? 0.5 - phi * sum : 0.5 + phi * sum;
        }
        double f = a;
        for (int k = 200; k >= 1; k--) {
            f = a + k / f;
        }
        return x < 0 ? phi / f : 1 - phi / f;
    }
}
