// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;

/**
 * A prior of independent pixels from a mixture of normals sum_k weight_k N(mean_k, std_k^2), whose score is known at every
 * noise level. With noise it is the mixture of N(sqrt(abar) mean_k, abar std_k^2 + sigma^2).
 */
public record MixturePrior(double[] weight, double[] mean, double[] std) implements Denoiser {
    /** Returns the prior of one normal distribution. */
    public static MixturePrior normal(double mean, double std) {
        return new MixturePrior(new double[] {1}, new double[] {mean}, new double[] {std});
    }

    @Override
    public Value eps(Tracer t, Value z, NoiseLevel.Traced level) {
        Value abar = t.mul(level.sqrtAbar(), level.sqrtAbar());
        Value sigma2 = t.mul(level.sigma(), level.sigma());
        Value density = null;
        Value slope = null;
        for (int k = 0; k < weight.length; k++) {
            Value v = t.add(t.scale(abar, std[k] * std[k]), sigma2); // []
            Value away = t.sub(z, t.scale(level.sqrtAbar(), mean[k]));
            Value exponent = t.scale(t.div(t.mul(away, away), v), -0.5);
            Value p = t.mul(t.scale(t.unary(Fn.RSQRT, v), weight[k]), t.unary(Fn.EXP, exponent));
            density = t.plus(density, p);
            slope = t.plus(slope, t.scale(t.div(t.mul(p, away), v), -1));
        }
        Value score = t.div(slope, density);
        return t.scale(t.mul(score, level.sigma()), -1);
    }

    @Override
    public int evaluations() {
        return 1;
    }

    /** A codec for pictures that are their own latents. */
    public static final Codec PIXELS = new Codec() {
        @Override
        public Value encode(Tracer t, Value image) {
            return image;
        }

        @Override
        public Value decode(Tracer t, Value z) {
            return z;
        }

        @Override
        public Shape latent(Shape image) {
            return image;
        }
    };
}
