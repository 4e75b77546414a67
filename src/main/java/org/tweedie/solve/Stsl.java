// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * STSL (arXiv 2312.00852, algorithm 1): at each noise level K gradient steps on the {@link Surrogate surrogate loss}, then one DDIM step.
 *
 * <pre>
 * z = forward(E(A+ y))                                   {@link Start}
 * for each level, noisiest first
 *     K times: e ~ N(0,I);  z = z - step grad L(y, z)    {@link StepSize}
 *     z = ddim(z)
 * x = D(z), then made consistent with y                  {@link PixelConsistency}
 * </pre>
 *
 * With eta = 0 it is its first-order form, which evaluates the network once per inner step.
 */
public record Stsl(Options options) implements Solver {
    /** The weight of the trace term: eta/d as in the paper, or such that its gradient is eta times as long as the data term's. */
    public enum TraceWeight { PAPER, NORMALISED }

    /**
     * Hyper-parameters.
     *
     * @param steps noise levels (50 in the paper)
     * @param inner gradient steps per level, K (5)
     * @param eta weight of the trace term (0.02); 0 for the first-order method
     * @param lambda weight of the data term; with adaptive steps the fraction of Polyak's step that is taken
     * @param trust longest adaptive step, as a fraction of the length of the signal in z, sqrt(abar d)
     */
    public record Options(int steps, int inner, double eta, double lambda, double trust, Surrogate.Norm norm, Surrogate.Probe probe, TraceWeight traceWeight,
                          StepSize.Rule step, Start.Kind init, boolean consistency) {
        public Options {
            require(steps >= 1, "steps: expected at least 1, got " + steps);
            require(inner >= 0, "inner: expected 0 or more, got " + inner);
            require(eta >= 0 && Double.isFinite(eta), "eta: expected 0 or more, got " + eta);
            require(trust > 0, "trust: expected more than 0, got " + trust);
            require(lambda >= 0 && Double.isFinite(lambda), "lambda: expected 0 or more, got " + lambda);
        }

        /** The same with another trace term. */
        public Options with(double eta, TraceWeight weight) {
            return new Options(steps, inner, eta, lambda, trust, norm, probe, weight, step, init, consistency);
        }

        private static void require(boolean condition, String message) {
            if (!condition) {
                throw new IllegalArgumentException(message);
            }
        }
    }

    @Override
    public String name() {
        return "stsl";
    }

    @Override
    public Result solve(Problem p, Consumer<Step> observer) {
        NfeLedger counts = new NfeLedger();
        List<NoiseLevel> levels = p.schedule().levels(options.steps);
        Tensor z = Start.of(p, options.init, options.steps, counts);
        try (Inner inner = new Inner(p, counts); Sampling sampling = new Sampling(p)) {
            for (int i = 0; i < levels.size(); i++) {
                z = inner.descend(z, levels.get(i), i, levels.size(), observer);
                z = sampling.ddim(z, levels.get(i), p.schedule().after(levels.get(i), options.steps), counts);
                Finite.require(z, "stsl: step " + (i + 1) + " of " + levels.size() + " (" + levels.get(i) + "): latent z");
            }
            Tensor decoded = sampling.decode(z, counts);
            Finite.require(decoded, "stsl: decoded picture");
            return PixelConsistency.finish(p, decoded, options.consistency, counts);
        }
    }

    /** The K gradient steps of a level, with the programs they need. */
    private final class Inner implements AutoCloseable {
        private final Problem p;
        private final NfeLedger counts;
        private final Surrogate loss;
        private final Executable gradient;
        private final Executable apart;
        private final StepSize stepSize;
        private final int d;
        private double traceWeight;
        private long draws;

        Inner(Problem p, NfeLedger counts) {
            this.p = p;
            this.counts = counts;
            loss = new Surrogate(p.denoiser(), p.codec(), p.operator(), options.norm, options.probe);
            Shape z = p.codec().latent(p.image());
            d = (int) z.size();
            boolean second = options.eta > 0;
            Device device = p.device();
            gradient = device.compile(loss.program(z, p.image(), second ? Surrogate.Gradient.FUSED : Surrogate.Gradient.FIRST_ORDER));
            try {
                apart = second ? device.compile(loss.program(z, p.image(), Surrogate.Gradient.APART)) : null;
            } catch (RuntimeException | Error e) { // no memory for both
                gradient.close();
                throw e;
            }
            stepSize = new StepSize(options.step, options.lambda, options.trust, options.norm, p.noiseNorm(), d);
        }

        Tensor descend(Tensor z, NoiseLevel level, int step, int steps, Consumer<Step> observer) {
            for (int k = 1; k <= options.inner; k++) {
                Evaluation e = evaluate(z, level, k == 1);
                String where = "stsl: step " + (step + 1) + " of " + steps + " (" + level + "), inner " + k + ": ";
                Finite.require(e.residual, where + "residual");
                double length = Norms.norm(Finite.require(e.gradient, where + "gradient of the loss"));
                double size = stepSize.of(e.residual, e.data, length, level);
                observer.accept(new Step(step + 1, steps, k, (int) level.timestep(), e.residual / p.noiseNorm(), length, e.dataGradient, e.traceGradient,
                        size * length));
                if (size == 0) {
                    break;
                }
                z = Norms.minus(z, e.gradient, size);
            }
            return z;
        }

        /** @param dataGradient, traceGradient their norms where they were taken apart, else NaN */
        private record Evaluation(double data, double residual, Tensor gradient, double dataGradient, double traceGradient) {}

        private Evaluation evaluate(Tensor z, NoiseLevel level, boolean first) {
            Map<String, Tensor> in = Surrogate.inputs(z, p.y(), level);
            int perEps = p.denoiser().evaluations();
            counts.nfe(1);
            if (options.eta == 0) {
                in.put("lambda", Tensor.scalar(1));
                Map<String, Tensor> out = gradient.run(in);
                counts.unet(perEps, perEps);
                counts.decode(1, 1);
                Tensor g = out.get("grad");
                return new Evaluation(out.get("data").get(0), out.get("residual").get(0), g, Norms.norm(g), 0);
            }
            in.put("probe", new Philox(p.seed(), Philox.Stream.PROBE).normals(d * draws++, z.shape()));
            in.put("h", Tensor.scalar(loss.h(level)));
            return first ? apart(in, perEps) : fused(in, perEps);
        }

        private Evaluation fused(Map<String, Tensor> in, int perEps) {
            in.put("lambda", Tensor.scalar(1));
            in.put("trace_weight", Tensor.scalar(traceWeight));
            Map<String, Tensor> out = gradient.run(in);
            counts.unet(2 * perEps, 2 * perEps);
            counts.decode(1, 1);
            return new Evaluation(out.get("data").get(0), out.get("residual").get(0), out.get("grad"), Double.NaN, Double.NaN);
        }

        /** Once per level: both gradients apart, from which the weight of the trace follows for the level. */
        private Evaluation apart(Map<String, Tensor> in, int perEps) {
            Map<String, Tensor> out = apart.run(in);
            counts.unet(2 * perEps, 4 * perEps);
            counts.decode(1, 1);
            double data = Norms.norm(out.get("grad_data"));
            double trace = Norms.norm(out.get("grad_trace"));
            traceWeight = switch (options.traceWeight) {
                case PAPER -> options.eta / d / (options.step == StepSize.Rule.CONSTANT && options.lambda > 0 ? options.lambda : 1);
                case NORMALISED -> trace > 0 ? options.eta * data / trace : 0;
            };
            Tensor g = Norms.minus(out.get("grad_data"), out.get("grad_trace"), -traceWeight);
            return new Evaluation(out.get("data").get(0), out.get("residual").get(0), g, data, trace);
        }

        @Override
        public void close() {
            try (gradient; apart) { } // a resource that is null is left out
        }
    }
}
