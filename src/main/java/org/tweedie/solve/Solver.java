// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;

/**
 * A method that restores a picture from a measurement with a latent diffusion prior. A solver is a record of this package: its components are its
 * options, and {@link Solvers} finds it.
 */
public interface Solver {
    /**
     * Restores the picture.
     *
     * @param listener is told of each step
     * @throws org.tweedie.diffusion.Finite.NotFinite when a tensor stops being finite
     * @throws java.util.concurrent.CancellationException when the listener cancels
     * @throws IllegalArgumentException when the problem is none that this solver can solve
     */
    Restoration solve(Problem p, Listener listener);

    /** The numbers that the solver reports in each {@link Step}, by column. */
    default List<String> columns() {
        return List.of(Step.RESIDUAL, "gradient", "move");
    }

    /** How many levels the solver visits. */
    int steps();
}
