// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.List;
import java.util.function.Supplier;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.program.Tensor;

/** A way to walk from noise to a picture. */
public interface Sampler {
    /** Plans a walk. @throws IllegalArgumentException when the schedule has no such number of steps */
    Walk walk(NoiseSchedule schedule, int steps);

    /** One walk. It may remember what it saw, as multi-step methods do, so a walk serves one picture. */
    interface Walk {
        /** The levels that are visited, noisiest first, and last the one at which sampling ends: one more than there are steps. */
        List<NoiseLevel> levels();

        /** The factor of N(0,I) that makes the latent at the noisiest level. */
        double initNoise();

        /**
         * The latent at level i + 1.
         *
         * @param z the latent at level i, sqrt(abar) z0 + sigma n
         * @param eps the noise that the network predicts in z at level i
         * @param noise gives N(0,I) of z's shape, another at each call; only a stochastic method asks for it
         */
        Tensor step(int i, Tensor z, Tensor eps, Supplier<Tensor> noise);
    }
}
