// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.LinkedHashMap;
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
import org.tweedie.inverse.Start;
import org.tweedie.inverse.StepSize;
import org.tweedie.inverse.Surrogate;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Philox;
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
        + "noise level. Starts from the DDIM inversion of E(A^+ y); sampler ddim with eta 0; the result is D(z) of the last z, "
        + "then moved onto the measurement in pixels.", source = "arXiv 2312.00852",
        text = "Follows a second-order surrogate loss K times at each noise level, then takes one step of the sampler.")
public record Stsl(
        @Option(value = "50", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "5", min = 0, symbol = "K", text = "The number of gradient steps at each level.") int inner,
        @Option(value = "0.02", min = 0, symbol = "η", text = "The weight of the trace term; 0 is the first-order method, which "
                + "is twice as fast.")
        double eta,
        @Option(value = "0.5", min = 0, symbol = "λ", text = "The weight of the data term; with adaptive steps, the fraction of "
                + "Polyak's step that is taken.")
        double lambda,
        @Option(value = "0.2", above = 0, text = "The longest adaptive step, as a fraction of the length of the signal in the "
                + "latent.") double trust,
        @Option(value = "norm", text = "The data term: the sum or the mean of the squared residual, or its plain norm.")
        Surrogate.Norm norm,
        @Option(value = "unit", text = "The estimate of the trace: unit (the paper's finite difference), scaled (to the noise "
                + "level) or exact (a "
                + "Jacobian-vector product).") Surrogate.Probe probe,
        @Option(value = "paper", text = "paper weights the trace by eta over the latent's size; normalised makes its gradient "
                + "eta times as long as the "
                + "data term's.") TraceWeight traceWeight,
        @Option(value = "adaptive", text = "The length of a gradient step: adaptive or constant.") StepSize.Rule step,
        @Option(value = "ddim", text = "The latent to start from: ddim inverts the encoded start picture, qsample adds noise to "
                + "it, noise ignores it.") Start init,
        @Option(value = "ddim", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "pixel", text = "The last step: pixel moves the picture onto the measurement, none leaves it as it was "
                + "decoded.")
        PixelConsistency consistency) implements Solver {
    /**
     * The weight of the trace term: eta/d as in the paper, or normalised so that the trace's gradient is eta times as long as
     * the data term's.
     */
    public enum TraceWeight { PAPER, NORMALISED }

    public Stsl {
        Options.check(Stsl.class, steps, inner, eta, lambda, trust, norm, probe, traceWeight, step, init, sampler, consistency);
    }

    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "gradient", "data_gradient", "trace_gradient", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        Nfe gradients = inner == 0 ? Nfe.NONE : eta == 0 ? Nfe.unet(each, each).times(inner)
                : Nfe.unet(2L * each, 2L * each).times(inner).plus(Nfe.unet(0, 2L * each)); // the first pulls back twice
        Nfe level = gradients.plus(Nfe.decode(1, 1).times(inner)).plus(Nfe.unet(each, 0));
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
            z = descent.at(z, level, i);
            z = walk.step(i, z, run.eps(z, level), noise);
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
        private final Surrogate loss;
        private final StepSize stepSize;
        private final int d;
        private double weight;
        private long draws;

        Inner(Problem p, Run run) {
            this.p = p;
            this.run = run;
            loss = new Surrogate(p.prior().denoiser(), p.prior().codec(), p.operator(), norm, probe);
            d = (int) p.prior().latent().size();
            stepSize = new StepSize(step, lambda, trust, norm, p.noiseNorm(), d);
        }

        Tensor at(Tensor z, NoiseLevel level, int i) {
            for (int k = 1; k <= inner; k++) {
                Evaluation e = evaluate(z, level, k == 1);
                String where = where(level, i) + ", inner " + k + ": ";
                Finite.require(e.residual, where + "residual");
                double length = Vectors.norm(Finite.require(e.gradient, where + "gradient of the loss"));
                double size = stepSize.of(e.residual, e.data, length, level);
                run.step(new Step(i + 1, steps, k, inner, level.timestep(), e.report(length, size, p)));
                if (size == 0) {
                    break;
                }
                z = Vectors.minus(z, e.gradient, size);
            }
            return z;
        }

        /**
         * @param dataGradient, traceGradient the norms of the two terms' gradients if they were computed separately, else NaN
         */
        private record Evaluation(double data, double residual, Tensor gradient, double dataGradient, double traceGradient) {
            Map<String, Double> report(double length, double size, Problem p) {
                Map<String, Double> all = new LinkedHashMap<>();
                all.put(Step.RESIDUAL, residual / p.noiseNorm());
                all.put("gradient", length);
                all.put("data_gradient", dataGradient);
                all.put("trace_gradient", traceGradient);
                all.put("move", size * length);
                return all;
            }
        }

        private Evaluation evaluate(Tensor z, NoiseLevel level, boolean first) {
            Map<String, Tensor> in = Surrogate.inputs(z, p.y(), level);
            run.counts().nfe(1);
            if (eta == 0) {
                in.put("lambda", Tensor.scalar(1));
                Map<String, Tensor> out = run(Surrogate.Gradient.FIRST_ORDER, 1, 1, in);
                Tensor g = out.get("grad");
                return new Evaluation(out.get("data").get(0), out.get("residual").get(0), g, Vectors.norm(g), 0);
            }
            in.put("probe", new Philox(p.seed(), Philox.Stream.PROBE).normals(d * draws++, z.shape()));
            in.put("h", Tensor.scalar(loss.h(level)));
            return first ? apart(in) : fused(in);
        }

        private Evaluation fused(Map<String, Tensor> in) {
            in.put("lambda", Tensor.scalar(1));
            in.put("trace_weight", Tensor.scalar(weight));
            Map<String, Tensor> out = run(Surrogate.Gradient.FUSED, 2, 2, in);
            return new Evaluation(out.get("data").get(0), out.get("residual").get(0), out.get("grad"), Double.NaN, Double.NaN);
        }

        /**
         * Computes the gradients of both terms separately, once per level; they determine the weight of the trace at this
         * level.
         */
        private Evaluation apart(Map<String, Tensor> in) {
            Map<String, Tensor> out = run(Surrogate.Gradient.APART, 2, 4, in);
            double data = Vectors.norm(out.get("grad_data"));
            double trace = Vectors.norm(out.get("grad_trace"));
            weight = switch (traceWeight) {
                case PAPER -> eta / d / (step == StepSize.Rule.CONSTANT && lambda > 0 ? lambda : 1);
                case NORMALISED -> trace > 0 ? eta * data / trace : 0;
            };
            Tensor g = Vectors.minus(out.get("grad_data"), out.get("grad_trace"), -weight);
            return new Evaluation(out.get("data").get(0), out.get("residual").get(0), g, data, trace);
        }

        private Map<String, Tensor> run(Surrogate.Gradient gradient, int forwards, int vjps, Map<String, Tensor> in) {
            record What(Surrogate loss, Surrogate.Gradient gradient) {}

            int each = p.prior().denoiser().evaluations();
            return run.evaluate(p.operator(), new What(loss, gradient), Nfe.unet((long) forwards * each, (long) vjps * each)
                    .plus(Nfe.decode(1, 1)),
                    () -> loss.program(p.prior().latent(), p.image(), gradient), in);
        }
    }
}
