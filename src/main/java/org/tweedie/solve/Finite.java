// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import org.tweedie.program.Tensor;

/** Stops a run at the first tensor that is not finite. */
public final class Finite {
    private Finite() {}

    public static Tensor require(Tensor x, String what) {
        for (long i = 0; i < x.size(); i++) {
            require(x.get(i), what);
        }
        return x;
    }

    public static double require(double x, String what) {
        if (!Double.isFinite(x)) {
            throw new Solver.NotFinite(what + " is not finite (" + x + "); try a smaller --lambda, or check the weights with 'tweedie inspect'");
        }
        return x;
    }
}
