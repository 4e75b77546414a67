// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.List;
import java.util.function.Supplier;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.program.Tensor;

/**
 * A method that goes from noise to a picture. Every sampler takes z on the scale of the checkpoint,
 * z = sqrt(abar) z0 + sigma n, whichever scale its paper uses, and the predicted noise eps, whichever quantity the network
 * predicts. It takes from the checkpoint the settings that diffusers' scheduler of the same name takes when from_config
 * builds it: the betas, and the spacing and offset of timesteps if the checkpoint's file gives them. Its other settings,
 * such as Karras' levels, are its own options and do not depend on that file.
 */
public interface Sampler {
    /**
     * Plans a walk of the given number of steps over a schedule.
     *
     * @throws IllegalArgumentException when the number of steps is out of range
     */
    Walk walk(NoiseSchedule schedule, int steps);

    /**
     * One walk from noise to a picture. Multi-step methods keep values of earlier steps in it, so a walk is for one picture
     * and one thread.
     */
    interface Walk {
        /** The levels that are visited, noisiest first, then the one at which sampling ends: steps + 1 of them. */
        List<NoiseLevel> levels();

        /** The factor of N(0,I) that gives the z at which a plain generation starts (diffusers' init_noise_sigma). */
        double initNoise();

        /**
         * Returns the latent at levels(i+1), an F64 tensor.
         *
         * @param z the latent at levels(i)
         * @param eps the noise predicted for z at levels(i)
         * @param noise gives N(0,I) of z's shape; it is called once or not at all
         */
        Tensor step(int i, Tensor z, Tensor eps, Supplier<Tensor> noise);
    }
}
