// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.HardConsistency;
import org.tweedie.inverse.LossGradient;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Sampler;

/**
 * ReSample: hard data consistency with stochastic resampling (arXiv 2307.08123, algorithm 1, ICLR 2024). A step of latent DPS
 * is taken at each level. At some levels of the last two thirds, a clean estimate is fitted to the measurement, in pixels
 * during the middle third and through the decoder in the last third, and is carried back to the noise level.
 *
 * <pre>
 * z ~ N(0,I)
 * for each level, noisiest first; a = abar of the level, b = abar of the next, i levels follow
 *     z = ddim(z) - rho a grad_z |y - A D(zbar(z))|
 *     if i is a multiple of the interval, positive and at most 2/3 of the levels
 *         zhat = zbar after look-ahead steps of DDIM from z
 *         i at least 1/3 of the levels:  zhat = E(argmin_x |y - A x|^2), from x = D(zhat)
 *         otherwise:                     zhat = argmin_u |y - A D(u)|^2, from u = zhat
 *         s = gamma (1 - b)/(1 - a) (1 - a/b)
 *         z ~ N( (s sqrt(b) zhat + (1 - b) z)/(s + 1 - b), 1/(1/s + 1/(1 - b)) )
 * x = D(argmin_u |y - A D(u)|^2, from u = z)
 * </pre>
 *
 * <p>This implementation differs from the published code in these points. The clean estimate has the factor sqrt(1 - abar) of
 * eps, where that code has 1 - abar, and a look-ahead step has timestep and abar of the same level, where that code has the
 * timestep of the next. A fit ends before the step once its loss has reached the noise: sigma^2 for a picture and
 * sigma^2 + autoencoder-variance for a latent, where that code has 1e-6 for noise of 1e-4. The loss is a mean over the
 * measured values, where that code counts the holes of a mask.
 *
 * <p>The default of autoencoder-variance is ours: it is below what the autoencoder of the demo model leaves in each of six
 * tasks (0.0011 in motion to 0.016 in inpainting), so that no fit ends before the autoencoder is the limit. With 0, a fit ends
 * at the noise level. The weight decay 0.01 is the default of torch's AdamW, which the published code does not change.
 *
 * <p>With the option {@code state-variance} below 1, the gradients of the fits (not of latent DPS) are projected, as the
 * published code of DiffStateGrad does it: onto the latent after the look-ahead, or onto that latent decoded.
 */
@Described(name = "resample",
        conventions = "The data term of each level is the plain norm |y - A D(zbar)|, whose gradient is subtracted after "
        + "the DDIM step; that of the fits is the mean square, minimised over the picture or the clean latent. "
        + "Starts from noise; DDIM with eta 0 and stochastic resampling; the result is D of the last fitted "
        + "latent, without pixel consistency.",
        source = "arXiv 2307.08123; defaults of its code, except autoencoder-variance",
        text = "ReSample: latent DPS, with fits of the clean estimate to the measurement that are resampled to the noise level.")
public record ReSample(
        @Option(value = "500", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "0.5", min = 0, symbol = "ρ", text = "The factor of the gradient of the residual's norm; abar is "
                + "another factor.") double rho,
        @Option(value = "10", min = 1, text = "The number of levels from one fit to the next.") int interval,
        @Option(value = "5", min = 1, text = "The number of network evaluations that lead to the clean estimate.")
        int lookAhead,
        @Option(value = "40", above = 0, symbol = "γ", text = "The factor of the variance with which the fitted estimate is "
                + "weighted against the latent.") double gamma,
        @Option(value = "0.01", above = 0, text = "The learning rate of a fit in pixels.") double pixelRate,
        @Option(value = "0.005", above = 0, text = "The learning rate of a fit through the decoder.") double latentRate,
        @Option(value = "2000", min = 0, text = "The largest number of iterations of a fit in pixels.") int pixelIterations,
        @Option(value = "500", min = 0, text = "The largest number of iterations of a fit through the decoder.")
        int latentIterations,
        @Option(value = "0.01", min = 0, text = "The weight decay of AdamW in both fits.") double decay,
        @Option(value = "0.001", min = 0, text = "The mean square of A x - A D(E(x)), which is what the autoencoder cannot "
                + "show; a fit through the decoder ends at sigma^2 plus it.")
        double autoencoderVariance,
        @Option(value = "1", above = 0, max = 1, text = "The gradients of the fits are projected onto the leading singular "
                + "vectors of each channel of the state that explain this fraction of its squared norm (DiffStateGrad, which "
                + "takes 0.99); 1 leaves the gradients as they are.")
        double stateVariance,
        @Option(value = "ddim", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "noise", text = "The latent to start from: noise, qsample (the encoded start picture with noise) or "
                + "ddim (its inversion).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public ReSample {
        Options.check(ReSample.class, steps, rho, interval, lookAhead, gamma, pixelRate, latentRate, pixelIterations,
                latentIterations, decay, autoencoderVariance, stateVariance, sampler, init, consistency);
    }

    private enum Fit { NONE, PICTURE, LATENT }

    /** Returns the fit of a level. @param left the number of levels that follow */
    private Fit fit(int left) {
        int third = steps / 3;
        return left == 0 || left > steps - third || left % interval != 0 ? Fit.NONE : left >= third ? Fit.PICTURE : Fit.LATENT;
    }

    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "gradient", "move", "iterations");
    }

    /** Returns the largest number; a fit through the decoder stops early when it reaches the noise or does not improve. */
    @Override
    public Nfe evaluations(int each) {
        Nfe n = init.evaluations(steps, each).plus(Nfe.unet(each, each).plus(Nfe.decode(1, 1)).times(steps));
        Nfe latent = Nfe.decode(1, 1).times(latentIterations);
        for (int left = 1; left < steps; left++) {
            Nfe ahead = Nfe.unet((long) each * Math.min(lookAhead, left), 0);
            n = n.plus(switch (fit(left)) {
                case NONE -> Nfe.NONE;
                case PICTURE -> ahead.plus(Nfe.decode(stateVariance < 1 ? 2 : 1, 0)).plus(Nfe.encode(1, 0));
                case LATENT -> ahead.plus(latent);
            });
        }
        return n.plus(latent).plus(Nfe.decode(1, 0));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        Run run = new Run(p.prior(), listener);
        return new Descent(p, run, sampler.walk(p.prior().schedule(), steps), Start.stepNoise(p),
                new HardConsistency("resample", p, run, decay, stateVariance)).restore();
    }

    private HardConsistency.Limits latentLimits(Problem p) {
        return new HardConsistency.Limits(latentRate, latentIterations, p.sigma() * p.sigma() + autoencoderVariance);
    }

    /** One restoration. */
    private final class Descent {
        private final Problem p;
        private final Run run;
        private final Sampler.Walk walk;
        private final Supplier<Tensor> noise;
        private final HardConsistency fits;

        Descent(Problem p, Run run, Sampler.Walk walk, Supplier<Tensor> noise, HardConsistency fits) {
            this.p = p;
            this.run = run;
            this.walk = walk;
            this.noise = noise;
            this.fits = fits;
        }

        Restoration restore() {
            Tensor z = init.at(walk, p, run);
            for (int i = 0; i < steps; i++) {
                z = step(i, z);
            }
            return consistency.finish(fits.latent(z, z, latentLimits(p)).x(), p, run);
        }

        private Tensor step(int i, Tensor z) {
            NoiseLevel level = walk.levels().get(i);
            Nfe each = Nfe.unet(p.prior().denoiser().evaluations(), p.prior().denoiser().evaluations()).plus(Nfe.decode(1, 1));
            Map<String, Tensor> out = run.evaluate(p.operator(), "resample", each,
                    () -> LossGradient.program("resample", p, (t, at) -> at.residualNorm(t)),
                    LossGradient.inputs(z, p.y(), level));
            run.counts().nfe(1);
            Tensor g = out.get("grad");
            double factor = rho * level.abar();
            Tensor next = Finite.require(Vectors.minus(walk.step(i, z, out.get("eps"), noise), g, factor), where(i));
            int iterations = 0;
            if (fit(steps - 1 - i) != Fit.NONE) {
                HardConsistency.Fitted fitted = fitted(i, next);
                iterations = fitted.iterations();
                next = Finite.require(resampled(i, fitted.x(), next), where(i));
            }
            double length = Vectors.norm(g);
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(),
                    Map.of(Step.RESIDUAL, out.get("residual").get(0) / p.noiseNorm(), "gradient", length,
                            "move", factor * length, "iterations", (double) iterations)));
            return next;
        }

        private String where(int i) {
            return "resample: step " + (i + 1) + " of " + steps + " (" + walk.levels().get(i) + "): latent z";
        }

        /** Fits the clean estimate that the look-ahead from z, the latent after step i, leads to. */
        private HardConsistency.Fitted fitted(int i, Tensor z) {
            int left = steps - 1 - i;
            Tensor zhat = z;
            for (int k = i + 1; k <= i + Math.min(lookAhead, left); k++) {
                NoiseLevel from = walk.levels().get(k);
                NoiseLevel to = walk.levels().get(k + 1);
                Tensor eps = run.eps(z, from);
                run.counts().nfe(1);
                zhat = Vectors.mix(1 / from.sqrtAbar(), z, -from.sigma() / from.sqrtAbar(), eps);
                z = Vectors.mix(to.sqrtAbar(), zhat, to.sigma(), eps);
            }
            Finite.require(z, where(i) + " of the look-ahead");
            if (fit(left) == Fit.LATENT) {
                return fits.latent(zhat, z, latentLimits(p));
            }
            Tensor x = run.decode(zhat);
            Tensor state = stateVariance < 1 ? run.decode(z) : x;
            HardConsistency.Fitted picture = fits.picture(x, state,
                    new HardConsistency.Limits(pixelRate, pixelIterations, p.sigma() * p.sigma()));
            return new HardConsistency.Fitted(run.encode(picture.x()), picture.iterations());
        }

        /** Carries the fitted clean latent to the level of z, the latent after step i. */
        private Tensor resampled(int i, Tensor zhat, Tensor z) {
            double a = walk.levels().get(i).abar();
            NoiseLevel to = walk.levels().get(i + 1);
            double b = to.abar();
            double s = gamma * (1 - b) / (1 - a) * (1 - a / b);
            double total = s + 1 - b;
            Tensor mean = Vectors.mix(s * to.sqrtAbar() / total, zhat, (1 - b) / total, z);
            return Vectors.mix(1, mean, Math.sqrt(1 / (1 / s + 1 / (1 - b))), noise.get());
        }
    }
}
