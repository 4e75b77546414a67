// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import org.tweedie.program.Tensor;

/** The little vector arithmetic that a solver does on the host. */
final class Norms {
    private Norms() {}

    static double norm(Tensor x) {
        return Math.sqrt(dot(x, x));
    }

    static double dot(Tensor x, Tensor y) {
        double sum = 0;
        for (long i = 0; i < x.size(); i++) {
            sum += x.get(i) * y.get(i);
        }
        return sum;
    }

    /** x - a y, in double where x is. */
    static Tensor minus(Tensor x, Tensor y, double a) {
        double[] out = x.doubles();
        for (int i = 0; i < out.length; i++) {
            out[i] -= a * y.get(i);
        }
        return Tensor.of(x.shape(), out);
    }
}
