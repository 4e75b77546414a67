// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.LatentSquares;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.StateProjection;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.ForTask;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Philox;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Karras;

/**
 * Latent DAPS: decoupled annealing posterior sampling (arXiv 2407.01521, algorithm 2, CVPR 2025). At each noise level the
 * probability-flow ODE gives a clean estimate, Langevin dynamics with momentum draws a clean latent from the product of a
 * normal around that estimate and the likelihood, and fresh noise of the next level is added. Latents are on the
 * variance-exploding scale z = z0 + sigma n, and sigma is the ratio of noise to signal ({@link NoiseLevel#ratio}).
 *
 * <pre>
 * z ~ N(0, sigmaMax^2 I)
 * for each sigma, noisiest first
 *     zhat = z carried down the probability-flow ODE from sigma to 0.001 in a few Euler steps
 *     u = zhat;  v ~ N(0,I)
 *     N times: q = (zhat - u)/sigma^2 - clip(grad_u |y - A D(u)|^2)/tau^2
 *              v = momentum v + sqrt(lr) q + sqrt(2 (1 - momentum)) n,   n ~ N(0,I)
 *              u = u + sqrt(lr) v
 *     z = u + sigma' n
 * x = D(u) of the last level
 * </pre>
 *
 * <p>The levels and those of the ODE are Karras' (arXiv 2206.00364, equation 5): of T + 1 ratios from sigmaMax to sigmaMin the
 * first T are visited, and 0 takes the place of the last. At level i, counted from 0, lr is multiplied by
 * 1 + i/(T + 1) (lrRatio - 1). As in the published code, the likelihood is exp(-|y - A D(u)|^2/tau^2), so that tau stands for
 * sqrt(2) standard deviations of the noise, and tau does not depend on the noise of the problem.
 *
 * <p>This implementation differs from the published code in these points. A number that is not finite stops the run, where
 * that code returns a latent of zeros. Nothing is decoded for a log. Below the noise of the first training timestep, the
 * network gets timestep 0. The picture is measured at its own size, where that code measures a picture of 512 pixels after a
 * reduction to 256; the sum of squares has four times as many values per number of the latent here, and so may need a
 * smaller lr. That code's settings also include guidance 7.5 with the prompt "a natural looking image", which are options
 * of the model here.
 *
 * <p>With the option {@code state-variance} below 1, the gradient of the data is projected onto the leading singular vectors
 * of zhat (DiffStateGrad, see {@link StateProjection}).
 */
@ForTask(task = "blur", options = "langevin=40,lr=1e-5,momentum=0.9,lr-ratio=1", source = LatentDaps.CONFIGS)
@ForTask(task = "sr", options = "langevin=30,lr=1e-4,momentum=0.45,lr-ratio=1", source = LatentDaps.CONFIGS)
@ForTask(task = "motion", options = "langevin=30,lr=2e-5,momentum=0.85,lr-ratio=1", source = LatentDaps.CONFIGS)
@ForTask(task = "inpaint:box", options = "langevin=58,lr=1.11e-6,momentum=0.92,lr-ratio=0.43", source = LatentDaps.CONFIGS)
@ForTask(task = "inpaint:random", options = "langevin=15,lr=3e-5,momentum=0.6,lr-ratio=1", source = LatentDaps.CONFIGS)
@Described(name = "latent-daps",
        conventions = "The data term is the sum of squares over tau^2, where tau does not depend on the noise. Its "
        + "gradient, through the decoder alone, moves the clean latent. Starts from noise at sigma-max; the "
        + "levels are Karras'; the result is D of the last clean latent, without pixel consistency.",
        source = "arXiv 2407.01521; defaults of its code for Stable Diffusion 1.5",
        text = "Latent DAPS: draws clean latents by Langevin dynamics through the decoder, at levels of falling noise.")
public record LatentDaps(
        @Option(value = "50", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "10", above = 0, symbol = "σmax", text = "The ratio of noise to signal at the first level.")
        double sigmaMax,
        @Option(value = "0.1", above = 0, symbol = "σmin", text = "The ratio of noise to signal towards which the levels fall.")
        double sigmaMin,
        @Option(value = "2", min = 1, text = "The number of Euler steps of the probability-flow ODE at each level.") int ode,
        @Option(value = "40", min = 1, symbol = "N", text = "The number of Langevin steps at each level.") int langevin,
        @Option(value = "1e-5", above = 0, symbol = "η", text = "The step size of the Langevin dynamics at the first level; "
                + "its square root is the step of the latent along the velocity.") double lr,
        @Option(value = "1", above = 0, text = "The factor of lr towards which it changes over the levels.") double lrRatio,
        @Option(value = "0.9", min = 0, max = 1, text = "The factor with which each Langevin step keeps the velocity of the "
                + "step before; 0 is plain Langevin dynamics.") double momentum,
        @Option(value = "0.01", above = 0, symbol = "τ", text = "The square root of the likelihood's scale: the likelihood is "
                + "exp(-|y - A x|^2/tau^2).") double tau,
        @Option(value = "1", above = 0, text = "The bound to which each number of the gradient of |y - A x|^2 is clipped.")
        double clip,
        @Option(value = "1", above = 0, max = 1, text = "The gradient is projected onto the leading singular vectors of each "
                + "channel of the clean estimate that explain this fraction of its squared norm (DiffStateGrad, which takes "
                + "0.99); 1 leaves the gradient as it is.")
        double stateVariance,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    static final String CONFIGS = "the group sd of its configuration files";
    /** The ratio of noise to signal at which the ODE ends. */
    private static final double ODE_END = 0.001;

    public LatentDaps {
        Options.check(LatentDaps.class, steps, sigmaMax, sigmaMin, ode, langevin, lr, lrRatio, momentum, tau, clip,
                stateVariance, consistency);
        if (sigmaMin >= sigmaMax) {
            throw new IllegalArgumentException("sigma-min: expected less than sigma-max, " + sigmaMax + ", got " + sigmaMin);
        }
    }

    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "gradient", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        Nfe level = Nfe.unet((long) each * ode, 0).plus(LatentSquares.EVALUATIONS.times(langevin));
        return level.times(steps).plus(Nfe.decode(1, 0));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        NoiseSchedule schedule = p.prior().schedule();
        double most = schedule.level(schedule.length() - 1).ratio();
        if (sigmaMax > most) {
            throw new IllegalArgumentException("sigma-max: expected at most " + most + ", the ratio of noise to signal at the "
                    + "checkpoint's last timestep, got " + sigmaMax);
        }
        Run run = new Run(p.prior(), listener);
        Supplier<Tensor> noise = Start.stepNoise(p);
        double[] sigmas = Karras.ratios(sigmaMax, sigmaMin, steps + 1);
        Chain chain = new Chain(new LatentSquares(p, run), noise);
        Tensor z = Vectors.scale(sigmaMax, new Philox(p.seed(), Philox.Stream.INIT).normals(0, p.prior().latent()));
        Tensor u = z;
        for (int i = 0; i < steps; i++) {
            Tensor zhat = flow(run, z, sigmas[i]);
            Finite.require(zhat, where(i, sigmas[i]) + ": clean estimate");
            u = chain.run(zhat, sigmas[i], i);
            if (i < steps - 1) {
                z = Vectors.mix(1, u, sigmas[i + 1], noise.get());
            }
        }
        return consistency.finish(u, p, run);
    }

    private String where(int i, double sigma) {
        return "latent-daps: step " + (i + 1) + " of " + steps + " (sigma=" + sigma + ")";
    }

    /** Carries z down the probability-flow ODE dz/dsigma = eps by Euler steps. */
    private Tensor flow(Run run, Tensor z, double sigma) {
        double[] sigmas = Karras.ratios(sigma, ODE_END, ode + 1);
        for (int k = 0; k < ode; k++) {
            NoiseLevel level = level(run.prior().schedule(), sigmas[k]);
            Tensor eps = run.eps(Vectors.scale(level.sqrtAbar(), z), level);
            run.counts().nfe(1);
            z = Vectors.mix(1, z, sigmas[k + 1] - sigmas[k], eps);
        }
        return z;
    }

    private static NoiseLevel level(NoiseSchedule schedule, double sigma) {
        return NoiseLevel.ofRatio(schedule.timestep(sigma), sigma);
    }

    /** The Langevin dynamics of one restoration. */
    private final class Chain {
        private final LatentSquares squares;
        private final Supplier<Tensor> noise;

        Chain(LatentSquares squares, Supplier<Tensor> noise) {
            this.squares = squares;
            this.noise = noise;
        }

        /** Runs the chain of level i from the clean estimate; returns the clean latent that it ends at. */
        Tensor run(Tensor zhat, double sigma, int i) {
            double h = Math.sqrt(lr * (1 + i / (steps + 1.0) * (lrRatio - 1)));
            StateProjection projection = StateProjection.of(zhat, stateVariance);
            Tensor u = zhat;
            Tensor v = noise.get();
            Tensor g = null;
            double residual = 0;
            for (int n = 0; n < langevin; n++) {
                LatentSquares.Fit fit = squares.at(u);
                residual = Finite.require(fit.residual(), where(i, sigma) + ", Langevin step " + (n + 1) + " of " + langevin
                        + ": residual");
                g = projection.project(clipped(fit.gradient()));
                Tensor q = Vectors.mix(1 / (sigma * sigma), Vectors.minus(zhat, u, 1), -1 / (tau * tau), g);
                v = Vectors.mix(1, Vectors.mix(momentum, v, h, q), Math.sqrt(2 * (1 - momentum)), noise.get());
                u = Finite.require(Vectors.minus(u, v, -h), where(i, sigma) + ", Langevin step " + (n + 1) + " of " + langevin
                        + ": latent");
            }
            squares.run().step(new Step(i + 1, steps, 1, 1, level(squares.p().prior().schedule(), sigma).timestep(),
                    Map.of(Step.RESIDUAL, residual / squares.p().noiseNorm(), "gradient", Vectors.norm(g),
                            "move", Vectors.norm(Vectors.minus(u, zhat, 1)))));
            return u;
        }

        private Tensor clipped(Tensor g) {
            double[] out = g.doubles();
            for (int j = 0; j < out.length; j++) {
                out[j] = Math.clamp(out[j], -clip, clip);
            }
            return Tensor.of(g.shape(), out);
        }
    }
}
