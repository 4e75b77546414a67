// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.profile.Nfe;

/**
 * A method that restores a picture from a measurement with a latent diffusion prior. A solver is a record of this package
 * whose components are its options; {@link Solvers} finds it.
 */
public interface Solver {
    /**
     * Restores the picture.
     *
     * @param listener is called after each step and may cancel the run
     * @throws org.tweedie.diffusion.Finite.NotFinite when a tensor stops being finite
     * @throws java.util.concurrent.CancellationException when the listener cancels
     * @throws IllegalArgumentException when this solver cannot solve the problem
     */
    Restoration solve(Problem p, Listener listener);

    /** The columns of the numbers that the solver reports in each {@link Step}. */
    default List<String> columns() {
        return List.of(Step.RESIDUAL, "gradient", "move");
    }

    /** The number of noise levels that the solver visits, or of iterations if it optimises a latent without levels. */
    int steps();

    /**
     * The network evaluations of one restoration, from its start to its last decoding. It is exact if the solver cannot stop
     * early, and otherwise the largest number.
     *
     * @param each the network evaluations of one prediction of the noise: 2 with guidance, otherwise 1
     */
    Nfe evaluations(int each);
}
