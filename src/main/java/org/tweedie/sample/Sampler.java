// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.List;
import java.util.function.Supplier;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.program.Tensor;

/**
 * A way to walk from noise to a picture. Every sampler speaks of z on the scale of the checkpoint, z = sqrt(abar) z0 + sigma n,
 * whatever scale its paper uses, and of the predicted noise eps, whatever the network predicts. It takes from the checkpoint what
 * diffusers' scheduler of the same name takes when from_config builds it: the betas, and the spacing and offset of timesteps
 * where the checkpoint's file says them. Its other settings, as Karras' levels, are its own, whatever that file says of them.
 */
public interface Sampler {
    /** Plans a walk of so many steps over a schedule. @throws IllegalArgumentException for steps out of range */
    Walk walk(NoiseSchedule schedule, int steps);

    /** One walk. It may remember what it saw (multi-step methods do), so a walk serves one picture and one thread. */
    interface Walk {
        /** The levels that are visited, noisiest first, then the one at which sampling ends: steps + 1 of them. */
        List<NoiseLevel> levels();

        /** What N(0,I) is multiplied with to become the z at which a plain generation starts (diffusers' init_noise_sigma). */
        double initNoise();

        /**
         * The latent at levels(i+1), an F64 tensor.
         *
         * @param z the latent at levels(i)
         * @param eps the noise predicted for z at levels(i)
         * @param noise gives N(0,I) of z's shape; it is called once or not at all
         */
        Tensor step(int i, Tensor z, Tensor eps, Supplier<Tensor> noise);
    }
}
