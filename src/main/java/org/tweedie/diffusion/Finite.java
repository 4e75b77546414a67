// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Tensor;

/** Stops a run at the first number that is not finite. */
public final class Finite {
    private Finite() {}

    /** Returns the tensor itself. @throws NotFinite naming the tensor, when it has a NaN or an infinity */
    public static Tensor require(Tensor x, String what) {
        for (long i = 0; i < x.size(); i++) {
            require(x.get(i), what);
        }
        return x;
    }

    /** Returns the number itself. @throws NotFinite naming the number, when it is NaN or infinite */
    public static double require(double x, String what) {
        if (!Double.isFinite(x)) {
            throw new NotFinite(what + " is not finite (" + x + "); try smaller steps, or check the weights with 'tweedie "
                    + "inspect'");
        }
        return x;
    }

    /** Thrown when a tensor or number of a run is not finite. */
    public static final class NotFinite extends ArithmeticException {
        private static final long serialVersionUID = 1;

        NotFinite(String message) {
            super(message);
        }
    }
}
