// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.Map;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.image.Image;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Draws a picture from a prior.
 *
 * @param steps the number of network evaluations that the sampler may use
 * @param seed the seed of the noise
 */
public record Generation(Sampler sampler, int steps, long seed) {
    /** The picture [1,H,W,3], about -1 to 1, not clamped, and the evaluations that it took. */
    public record Result(Tensor image, NfeLedger counts) {
        /** The picture, clamped to [-1,1]. */
        public Image picture() {
            return Image.of(image).clamp();
        }
    }

    /**
     * Draws the picture.
     *
     * @throws IllegalArgumentException when the schedule does not allow this number of steps
     * @throws java.util.concurrent.CancellationException when the listener cancels
     */
    public Result draw(Prior prior, Listener listener) {
        Run run = new Run(prior, listener);
        Sampler.Walk walk = sampler.walk(prior.schedule(), steps);
        Shape latent = prior.latent();
        double[] start = new Philox(seed, Philox.Stream.INIT).normals(0, latent).doubles();
        for (int k = 0; k < start.length; k++) {
            start[k] *= walk.initNoise();
        }
        Tensor z = Tensor.of(latent, start);
        Philox noise = new Philox(seed, Philox.Stream.STEP);
        long[] drawn = {0};
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            z = walk.step(i, z, run.eps(z, level), () -> noise.normals(latent.size() * drawn[0]++, latent));
            Finite.require(z, "generate: step " + (i + 1) + " of " + steps + " (" + level + "): latent z");
            run.counts().nfe(1);
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(), Map.of()));
        }
        return new Result(Finite.require(run.decode(z), "generate: decoded picture"), run.counts());
    }
}
