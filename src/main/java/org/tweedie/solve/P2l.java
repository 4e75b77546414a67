// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.PromptedDenoiser;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Adam;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.PixelOperator;
import org.tweedie.inverse.PixelProx;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.PromptGradient;
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
 * P2L: prompt tuning with projection (arXiv 2310.01110). At each level the hidden states c of the prompt take an optimiser's
 * step on the residual, then the latent takes a step with the new c. At some levels the mean is replaced by the encoding of a
 * picture that agrees with the measurement.
 *
 * <pre>
 * z ~ N(0,I);  c = hidden states of the prompt
 * for each level, noisiest first
 *     K times: c = Adam(c, grad_c |y - A D(zhat(z, c))|)
 *     g = grad_z |y - A D(zhat(z, c))|;  eps = eps(z, c)
 *     at every interval-th level, counted so that the last level is one of them
 *         x* = argmin_x gamma |y - A x|^2 + |x - D(zhat)|^2                   {@link PixelProx} with lam = 1 / gamma
 *         eps = (z - sqrt(abar) E(x*)) / sigma
 *     z = ddim(z, eps)
 *     z = z - rho g, or Adam(z, g) with the learning rate rho
 * x = D(z)
 * </pre>
 *
 * <p>The authors' code has not been released. The numbers are those of LATINO-PRO's comparison, which quotes table 6 of the
 * paper. Four faults of the two public codes are avoided. In LATINO-PRO's, the loss of the prompt compares a picture on [0,1]
 * with a measurement on [-1,1]; Adam for z corrects its bias with the prompt's counter; and g and eps are computed with c from
 * before its step. In TReg's, the optimiser loses c after the first level, and the sampler never uses c, which leaves LDPS.
 *
 * <p>Departures from LATINO-PRO's code: pictures are not clamped, since clamping stops the gradient of saturated pixels; its
 * floor of 1e-8 on Adam's second moment is not used; and 999 levels are the timesteps 999 to 1 on a schedule of 1000 with
 * leading spacing. Both codes and this one encode to the posterior's mean. Guidance belongs to the prior; with guidance, c
 * takes the place of the prompt and the negative text is fixed.
 */
@ForTask(task = "sr", options = "update=constant", source = "LATINO-PRO's comparison")
@Described(name = "p2l",
        conventions = "The data term is the plain norm |y - A D(zbar)|, for the prompt and for the latent, on [-1,1] and without "
        + "clipping. The latent's gradient, through decoder and UNet, drives Adam after the sampler's step (a constant step for "
        + "sr); at every eighth level the encoder's mean of the projected picture replaces zbar. Starts from noise; sampler "
        + "ddim with eta 0; the result is D(z) of the last z, without pixel consistency. The standard deviation of the noise "
        + "is not used.",
        source = "arXiv 2310.01110; numbers of LATINO-PRO's comparison (arXiv 2503.12615)",
        text = "P2L: tunes the prompt's hidden states on the residual at each level of latent DPS, and projects the mean onto "
                + "the measurement at some levels.")
public record P2l(
        @Option(value = "999", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "1", min = 0, symbol = "K", text = "The number of Adam's steps on the prompt at each level; 0 leaves the "
                + "prompt as it is.") int promptSteps,
        @Option(value = "0.0001", min = 0, text = "Adam's learning rate for the prompt.") double promptLr,
        @Option(value = "8", min = 0, text = "The distance between two levels at which the mean is projected; 0 leaves the "
                + "projection out.") int interval,
        @Option(value = "1", above = 0, symbol = "γ", text = "The weight of the measurement in the projection.") double gamma,
        @Option(value = "10", min = 1, text = "The number of iterations of conjugate gradients in a projection.") int iterations,
        @Option(value = "adam", text = "The step on the latent: constant subtracts rho times the gradient, adam is Adam's step "
                + "with the learning rate rho.") Update update,
        @Option(value = "0.05", min = 0, symbol = "ρ", text = "The factor of the gradient, or Adam's learning rate.") double rho,
        @Option(value = "ddim", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "noise", text = "The latent to start from: noise, qsample (the encoded start picture with noise), "
                + "ddim (its inversion) or ddim-noise (its inversion with fresh noise).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    /** The rule of the step on the latent. */
    public enum Update { CONSTANT, ADAM }

    public P2l {
        Options.check(P2l.class, steps, promptSteps, promptLr, interval, gamma, iterations, update, rho, sampler, init,
                consistency);
    }

    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "prompt_move", "gradient", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        long projections = interval == 0 ? 0 : (steps - 1) / interval + 1;
        return init.evaluations(steps, each).plus(gradient(each).times((promptSteps + 1L) * steps))
                .plus(Nfe.encode(1, 0).times(projections)).plus(Nfe.decode(1, 0));
    }

    private static Nfe gradient(int each) {
        return Nfe.unet(each, each).plus(Nfe.decode(1, 1));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        Run run = new Run(p.prior(), listener);
        PixelProx prox = interval == 0 ? null : new PixelProx(new PixelOperator(p, run), 1 / gamma, iterations, "p2l");
        Sampler.Walk walk = sampler.walk(p.prior().schedule(), steps);
        var noise = Start.stepNoise(p);
        Prompt prompt = new Prompt(p, run, prompted(p.prior().denoiser()));
        Adam adam = new Adam(0);
        Tensor z = init.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            String where = "p2l: step " + (i + 1) + " of " + steps + " (" + level + "): ";
            Tensor before = prompt.c;
            prompt.tune(z, level, where);
            Map<String, Tensor> out = prompt.gradient(PromptGradient.Wrt.LATENT, z, level);
            Tensor eps = out.get("eps");
            if (interval > 0 && (steps - 1 - i) % interval == 0) {
                Tensor zhat = run.encode(prox.of(Finite.require(out.get("image"), where + "decoded mean")));
                eps = Vectors.mix(1 / level.sigma(), z, -level.sqrtAbar() / level.sigma(), zhat);
            }
            Tensor g = out.get("grad");
            Tensor moved = walk.step(i, z, eps, noise);
            z = update == Update.ADAM ? adam.step(moved, g, rho) : Vectors.minus(moved, g, rho);
            Finite.require(z, where + "latent z");
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(),
                    Map.of(Step.RESIDUAL, out.get("residual").get(0) / p.noiseNorm(),
                    "prompt_move", Vectors.norm(Vectors.minus(prompt.c, before, 1)),
                    "gradient", Vectors.norm(g), "move", Vectors.norm(Vectors.minus(z, moved, 1)))));
        }
        return consistency.finish(z, p, run);
    }

    private static PromptedDenoiser prompted(Denoiser denoiser) {
        if (denoiser instanceof PromptedDenoiser d) {
            return d;
        }
        throw new IllegalArgumentException("p2l: expected a prior whose text can be tuned (PromptedDenoiser), got "
                + denoiser.getClass().getSimpleName() + "; choose another solver");
    }

    /** The text that is tuned, with its optimiser. */
    private final class Prompt {
        private final Problem p;
        private final Run run;
        private final PromptedDenoiser denoiser;
        private final Adam adam = new Adam(0);
        private Tensor c;

        Prompt(Problem p, Run run, PromptedDenoiser denoiser) {
            this.p = p;
            this.run = run;
            this.denoiser = denoiser;
            c = denoiser.text();
        }

        /** Takes K steps on the text. */
        void tune(Tensor z, NoiseLevel level, String where) {
            for (int k = 0; k < promptSteps; k++) {
                Tensor g = gradient(PromptGradient.Wrt.TEXT, z, level).get("grad");
                c = Finite.require(adam.step(c, g, promptLr), where + "hidden states of the prompt");
            }
        }

        Map<String, Tensor> gradient(PromptGradient.Wrt wrt, Tensor z, NoiseLevel level) {
            run.counts().nfe(1);
            return run.evaluate(p.operator(), List.of("p2l", wrt), P2l.gradient(denoiser.evaluations()),
                    () -> PromptGradient.program("p2l_" + wrt.name().toLowerCase(Locale.ROOT), p, denoiser, wrt),
                    PromptGradient.inputs(z, p.y(), level, c));
        }
    }
}
