// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.function.Consumer;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Tensor;

/** A method that restores a picture from a measurement with a diffusion prior. */
public interface Solver {
    /** The name by which it is asked for. */
    String name();

    /**
     * Restores.
     *
     * @param observer told of each evaluation of the loss
     * @throws NotFinite when a tensor stops being finite
     */
    Result solve(Problem problem, Consumer<Step> observer);

    /**
     * A restoration.
     *
     * @param image [1,H,W,3], about -1 to 1, not clamped
     * @param decoded the same before pixel consistency: what the decoder made
     * @param residual of {@code image}, over what noise alone would leave: |y - A x| / (sigma sqrt(m))
     * @param decodedResidual of {@code decoded}
     */
    record Result(Tensor image, Tensor decoded, double residual, double decodedResidual, NfeLedger counts) {}

    /** A tensor of a solver has a value that is not a finite number. */
    final class NotFinite extends ArithmeticException {
        public NotFinite(String message) {
            super(message);
        }
    }
}
