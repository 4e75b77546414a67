// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A prior of independent pixels N(mean, variance) with a variance for each pixel. With noise it is
 * N(sqrt(abar) mean, abar variance + sigma^2).
 *
 * @param variance of the shape of the latent
 */
public record DiagonalPrior(double mean, Tensor variance) implements Denoiser {
    @Override
    public Value eps(Tracer t, Value z, NoiseLevel.Traced level) {
        Value abar = t.mul(level.sqrtAbar(), level.sqrtAbar());
        Value v = t.add(t.mul(t.constant("variance", variance), abar), t.mul(level.sigma(), level.sigma()));
        Value away = t.sub(z, t.scale(level.sqrtAbar(), mean));
        return t.mul(t.div(away, v), level.sigma()); // eps = -sigma score
    }

    /** Returns E[z0 | z] of one pixel, from its variance S: the mean and (abar S + sigma^2)^-1 sqrt(abar) S (z - ..). */
    public double mean(int pixel, double z, NoiseLevel level) {
        double s = variance.get(pixel);
        return mean + level.sqrtAbar() * s * (z - level.sqrtAbar() * mean) / (level.abar() * s + 1 - level.abar());
    }

    /** Returns Var[z0 | z] of one pixel. */
    public double covariance(int pixel, NoiseLevel level) {
        double s = variance.get(pixel);
        return s * (1 - level.abar()) / (level.abar() * s + 1 - level.abar());
    }

    @Override
    public int evaluations() {
        return 1;
    }
}
