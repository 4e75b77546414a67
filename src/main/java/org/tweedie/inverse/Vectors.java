// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.program.Tensor;

/** The vector arithmetic that a solver does on the host, in double. */
public final class Vectors {
    private Vectors() {}

    /** Returns |x|, the Euclidean norm. */
    public static double norm(Tensor x) {
        return Math.sqrt(dot(x, x));
    }

    /** Returns the inner product x.y. */
    public static double dot(Tensor x, Tensor y) {
        double sum = 0;
        for (long i = 0; i < x.size(); i++) {
            sum += x.get(i) * y.get(i);
        }
        return sum;
    }

    /** Returns x - a y. */
    public static Tensor minus(Tensor x, Tensor y, double a) {
        double[] out = x.doubles();
        for (int i = 0; i < out.length; i++) {
            out[i] -= a * y.get(i);
        }
        return Tensor.of(x.shape(), out);
    }

    /** Returns a x. */
    public static Tensor scale(double a, Tensor x) {
        double[] out = x.doubles();
        for (int i = 0; i < out.length; i++) {
            out[i] *= a;
        }
        return Tensor.of(x.shape(), out);
    }

    /** Returns a x + b y. */
    public static Tensor mix(double a, Tensor x, double b, Tensor y) {
        double[] out = x.doubles();
        for (int i = 0; i < out.length; i++) {
            out[i] = a * out[i] + b * y.get(i);
        }
        return Tensor.of(x.shape(), out);
    }
}
