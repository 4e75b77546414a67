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
import org.tweedie.inverse.Adam;
import org.tweedie.inverse.LatentSquares;
import org.tweedie.inverse.LossGradient;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.ForTask;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Sampler;

/**
 * LMAP-RPS: a latent of maximal posterior density, found by gradient descent on the latent itself. The prior enters through
 * the predicted noise at one low noise level, so that no pull-back through the UNet is needed. The second part is optional: it
 * adds noise to the result again and samples down from there with latent DPS on the squared norm.
 *
 * <pre>
 * z = E(A+ y)
 * for k = 0, ..., K - 1
 *     eps = eps(sqrt(a) z + s n; t),    n ~ N(0,I),    a and s of timestep t
 *     g = grad_z |y - A D(z)|^2 + w eps                                   eps is a constant here
 *     z = AdamW(z, g) with the learning rate  lr_min + (lr - lr_min) (1 + cos(pi k / K)) / 2
 * if renoise &gt; 0
 *     z = sqrt(abar) z + sigma n    at the first of the last T renoise / 1000 of T levels
 *     for each of these levels: z = ddim(z) - rho abar grad_z |y - A D(zbar(z))|^2
 * x = D(z)
 * </pre>
 *
 * <p>The latent is the scaled one, whose numbers have a standard deviation of about 1, as in the published code. AdamW moves
 * each of them by about the learning rate per iteration, so with lr = 2 the first iterations leave the encoded start picture
 * behind, and the cosine brings the latent to rest. AdamW's weight decay of 0.01 is PyTorch's default, which the published code
 * does not change. The squared norm is a sum, so w is meant for pictures of 512 pixels and noise of 0.1 on the scale of [-1,1].
 *
 * <p>Departures from the published code: the encoder gives the posterior's mean and not a sample; the picture is not clamped
 * before A in the second part; guidance belongs to the prior ({@link org.tweedie.diffusion.Conditioning}), while the code uses
 * a guidance of 1.5 with captions; noise of the second part starts at the first level that is visited.
 */
@ForTask(task = "inpaint", options = "steps=200,w=0.3,rho=0.01", source = "the script of its code for 512 pixels")
@ForTask(task = "sr", options = "steps=100,w=0.15,rho=0.1", source = "the script of its code for 512 pixels")
@ForTask(task = "blur", options = "steps=200,w=0.1,rho=0.1", source = "the script of its code for an anisotropic blur")
@ForTask(task = "motion", options = "steps=200,w=0.1,rho=0.1", source = "the script of its code for an anisotropic blur")
@Described(name = "lmap",
        conventions = "The data term is the sum of squares |y - A D(z)|^2 of a clean latent z. Its gradient, through the decoder "
        + "alone, drives AdamW on z. Starts from E(A^+ y), the encoder's mean; there is no sampler by default; the result is "
        + "D(z) of the last z, without pixel consistency. The standard deviation of the noise is not used.",
        source = "LMAP-RPS in github.com/weigerzan/MAP_RPS; defaults of its code",
        text = "LMAP-RPS: optimises a latent by AdamW on the squared residual and the predicted noise; needs no pull-back "
                + "through the UNet unless it adds noise again.")
public record Lmap(
        @Option(value = "200", min = 1, symbol = "K", text = "The number of iterations of AdamW.") int steps,
        @Option(value = "2", min = 0, symbol = "lr", text = "AdamW's learning rate in the first iteration.") double vaeLr,
        @Option(value = "0.01", min = 0, text = "The learning rate to which the cosine falls.") double lrMin,
        @Option(value = "0.01", min = 0, text = "AdamW's weight decay.") double decay,
        @Option(value = "0.15", min = 0, symbol = "w", text = "The weight of the predicted noise, which is the prior's part of "
                + "the gradient.") double w,
        @Option(value = "50", min = 0, symbol = "t", text = "The training timestep at which the noise is predicted.") int noiseT,
        @Option(value = "0", min = 0, max = 1000, text = "The timestep of 1000 from which the result is sampled again after "
                + "noise was added to it; 0 leaves this part out, and 600 is the other published value.") int renoise,
        @Option(value = "1000", min = 1, symbol = "T", text = "The number of noise levels of the whole schedule; those below "
                + "renoise are visited.") int levels,
        @Option(value = "0.1", min = 0, symbol = "ρ", text = "The factor of abar times the gradient of the squared norm at each "
                + "noise level.") double rho,
        @Option(value = "ddim:eta=1", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public Lmap {
        Options.check(Lmap.class, steps, vaeLr, lrMin, decay, w, noiseT, renoise, levels, rho, sampler, consistency);
    }

    @Override
    public Nfe evaluations(int each) {
        return Nfe.encode(1, 0).plus(LatentSquares.EVALUATIONS.plus(Nfe.unet(each, 0)).times(steps))
                .plus(level(each).times(visited())).plus(Nfe.decode(1, 0));
    }

    private static Nfe level(int each) {
        return Nfe.unet(each, each).plus(Nfe.decode(1, 1));
    }

    /** The number of levels that the second part visits. */
    private int visited() {
        return (int) (((long) levels * renoise + 999) / 1000);
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        NoiseSchedule schedule = p.prior().schedule();
        if (noiseT >= schedule.length()) {
            throw new IllegalArgumentException("lmap: noise-t: expected 0 to " + (schedule.length() - 1)
                    + ", the timesteps of the model, got " + noiseT);
        }
        Run run = new Run(p.prior(), listener);
        Supplier<Tensor> noise = Start.stepNoise(p);
        Tensor z = optimised(p, run, schedule.level(noiseT), noise);
        if (visited() > 0) {
            z = resampled(z, p, run, noise);
        }
        return consistency.finish(z, p, run);
    }

    /** Runs the iterations of AdamW. @param at the level at which the noise is predicted */
    private Tensor optimised(Problem p, Run run, NoiseLevel at, Supplier<Tensor> noise) {
        Tensor z = Finite.require(run.encode(p.start()), "lmap: encoded start picture");
        LatentSquares squares = new LatentSquares(p, run);
        Adam adam = new Adam(decay);
        for (int k = 0; k < steps; k++) {
            Tensor eps = run.eps(Vectors.mix(at.sqrtAbar(), z, at.sigma(), noise.get()), at);
            LatentSquares.Fit fit = squares.at(z);
            run.counts().nfe(1);
            Tensor g = Vectors.mix(1, fit.gradient(), w, eps);
            Tensor next = adam.step(z, g, lrMin + (vaeLr - lrMin) * (1 + Math.cos(Math.PI * k / steps)) / 2);
            Finite.require(next, "lmap: iteration " + (k + 1) + " of " + steps + ": latent z");
            report(run, p, k, at, fit.residual(), Vectors.norm(g), Vectors.norm(Vectors.minus(next, z, 1)));
            z = next;
        }
        return z;
    }

    /** Adds noise to a clean latent and samples down to a picture, with a gradient step at each level. */
    private Tensor resampled(Tensor clean, Problem p, Run run, Supplier<Tensor> noise) {
        Sampler.Walk walk = sampler.walk(p.prior().schedule(), levels);
        int first = levels - visited();
        NoiseLevel top = walk.levels().get(first);
        Tensor z = Vectors.mix(top.sqrtAbar(), clean, top.sigma(), noise.get());
        int each = p.prior().denoiser().evaluations();
        for (int i = first; i < levels; i++) {
            NoiseLevel level = walk.levels().get(i);
            Map<String, Tensor> out = run.evaluate(p.operator(), "lmap level", level(each),
                    () -> LossGradient.program("lmap_level", p, (t, v) -> v.residualSquared(t)),
                    LossGradient.inputs(z, p.y(), level));
            run.counts().nfe(1);
            Tensor g = out.get("grad");
            z = Vectors.minus(walk.step(i, z, out.get("eps"), noise), g, rho * level.abar());
            Finite.require(z, "lmap: step " + (i - first + 1) + " of " + visited() + " (" + level + "): latent z");
            double length = Vectors.norm(g);
            report(run, p, steps + i - first, level, out.get("residual").get(0), length, rho * level.abar() * length);
        }
        return z;
    }

    private void report(Run run, Problem p, int step, NoiseLevel level, double residual, double gradient, double move) {
        run.step(new Step(step + 1, steps + visited(), 1, 1, level.timestep(),
                Map.of(Step.RESIDUAL, residual / p.noiseNorm(), "gradient", gradient, "move", move)));
    }
}
