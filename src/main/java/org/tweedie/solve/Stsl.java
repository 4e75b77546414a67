// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Map;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.SecondOrder;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.StepSize;
import org.tweedie.inverse.Surrogate;
import org.tweedie.inverse.SurrogateGradient;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Sampler;

/**
 * STSL (arXiv 2312.00852, algorithm 1): at each noise level it takes K gradient steps on the
 * {@link Surrogate surrogate loss}, then one step of the sampler. With eta = 0 it is the first-order form, which evaluates
 * the network once per inner step.
 *
 * <pre>
 * z = forward(E(A+ y))                                   {@link Start}
 * for each level, noisiest first
 *     K times: e ~ N(0,I);  z = z - step grad L(y, z)    {@link StepSize}
 *     z = ddim(z)                                        {@link Sampler}
 * x = D(z), then made consistent with y                  {@link PixelConsistency}
 * </pre>
 */
@Described(name = "stsl", conventions = "The data term is the plain norm |y - A D(zbar)|. Its gradient in z, through decoder and "
        + "UNet, is subtracted K times before the sampler's step, with a fraction of Polyak's step, until the residual is at the "
        + "noise level. The second term is the control shrink. Starts from E(A^+ y) with noise; sampler ddim with eta 1; the "
        + "result is D(z) of the last z, then moved onto the measurement in pixels.", source = "arXiv 2312.00852",
        text = "Follows a second-order surrogate loss K times at each noise level, then takes one step of the sampler.")
public record Stsl(
        @Option(value = "50", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "5", min = 0, symbol = "K", text = "The number of gradient steps at each level.") int inner,
        @Option(value = "0.2", min = 0, symbol = "η", text = "The weight of the second term; 0 is the first-order method. The "
                + "paper has 0.02, for its own weights.")
        double eta,
        @Option(value = "0.5", min = 0, symbol = "λ", text = "The weight of the data term; with adaptive steps, the fraction of "
                + "Polyak's step that is taken.")
        double lambda,
        @Option(value = "0.2", above = 0, text = "The longest adaptive step, as a fraction of the length of the signal in the "
                + "latent.") double trust,
        @Option(value = "norm", text = "The data term: the sum or the mean of the squared residual, or its plain norm.")
        Surrogate.Norm norm,
        @Option(value = "scaled", text = "The estimate of the trace: unit (the paper's finite difference), scaled (to the noise "
                + "level) or exact (a "
                + "Jacobian-vector product).") Surrogate.Probe probe,
        @Option(value = "shrink", text = "The second term: trace (the paper's), covariance (the trace of the posterior's "
                + "covariance), measured (the part of it that the measurement sees), or a control: flipped (the trace with the "
                + "opposite sign), random (a random direction), shrink (z itself, which in the study of docs/evaluation.md gains "
                + "about what trace does, without a second network evaluation), none.") SecondOrder term,
        @Option(value = "normalised", text = "paper weights the second term by its formula, for the trace eta over the "
                + "latent's size; normalised makes its gradient eta times as long as the data term's, which random and shrink "
                + "always are.")
        SurrogateGradient.Weight traceWeight,
        @Option(value = "adaptive", text = "The length of a gradient step: adaptive or constant.") StepSize.Rule step,
        @Option(value = "qsample", text = "The latent to start from: ddim inverts the encoded start picture, ddim-noise inverts "
                + "it with fresh noise, qsample adds noise to it, noise ignores it.") Start init,
        @Option(value = "ddim:eta=1", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "before", text = "before takes the gradient steps before the sampler's step, as the paper does; "
                + "after adds them to its result, as latent DPS does.") Order order,
        @Option(value = "pixel", text = "The last step: pixel moves the picture onto the measurement, none leaves it as it was "
                + "decoded.")
        PixelConsistency consistency) implements Solver {
    /** The place of the gradient steps: before the sampler's step, or added to its result. */
    public enum Order { BEFORE, AFTER }

    public Stsl {
        Options.check(Stsl.class, steps, inner, eta, lambda, trust, norm, probe, term, traceWeight, step, init, sampler, order,
                consistency);
    }

    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "gradient", "data_gradient", "trace_gradient", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        Nfe level = SurrogateGradient.evaluations(term, eta, inner, each).plus(Nfe.unet(each, 0));
        return init.evaluations(steps, each).plus(level.times(steps)).plus(Nfe.decode(1, 0));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        Run run = new Run(p.prior(), listener);
        Sampler.Walk walk = sampler.walk(p.prior().schedule(), steps);
        Inner descent = new Inner(p, run);
        var noise = Start.stepNoise(p);
        Tensor z = init.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            Tensor moved = descent.at(z, level, i);
            z = switch (order) {
                case BEFORE -> walk.step(i, moved, run.eps(moved, level), noise);
                case AFTER -> Vectors.mix(1, walk.step(i, z, run.eps(z, level), noise), 1, Vectors.minus(moved, z, 1));
            };
            Finite.require(z, where(level, i) + ": latent z");
        }
        return consistency.finish(z, p, run);
    }

    private String where(NoiseLevel level, int i) {
        return "stsl: step " + (i + 1) + " of " + steps + " (" + level + ")";
    }

    /** Takes the K gradient steps of a level. */
    private final class Inner {
        private final Problem p;
        private final Run run;
        private final SurrogateGradient gradient;
        private final StepSize stepSize;

        Inner(Problem p, Run run) {
            this.p = p;
            this.run = run;
            Surrogate loss = new Surrogate(p.prior().denoiser(), p.prior().codec(), p.operator(), norm, probe);
            gradient = new SurrogateGradient(p, run, loss, term, eta, traceWeight,
                    step == StepSize.Rule.CONSTANT && lambda > 0 ? 1 / lambda : 1);
            stepSize = new StepSize(step, lambda, trust, norm, p.noiseNorm(), (int) p.prior().latent().size());
        }

        Tensor at(Tensor z, NoiseLevel level, int i) {
            for (int k = 1; k <= inner; k++) {
                SurrogateGradient.Gradient g = gradient.at(z, level, k == 1);
                String where = where(level, i) + ", inner " + k + ": ";
                Finite.require(g.residual(), where + "residual");
                double length = Vectors.norm(Finite.require(g.total(), where + "gradient of the loss"));
                double size = stepSize.of(g.residual(), g.data(), length, level);
                run.step(new Step(i + 1, steps, k, inner, level.timestep(), Map.of(Step.RESIDUAL, g.residual() / p.noiseNorm(),
                        "gradient", length, "data_gradient", g.dataNorm(), "trace_gradient", g.secondNorm(),
                        "move", size * length)));
                if (size == 0) {
                    break;
                }
                z = Vectors.minus(z, g.total(), size);
            }
            return z;
        }
    }
}
