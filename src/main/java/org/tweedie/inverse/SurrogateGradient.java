// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.List;
import java.util.Map;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Philox;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * The gradient of STSL's loss with its second term or a control, step by step. The two terms are computed apart at the first
 * step of each level, which gives the weight of the second term for that level, and together at the others.
 */
public final class SurrogateGradient {
    /**
     * The weight of the second term: as its formula says (for the trace eta/d), or so that its gradient is eta times as long
     * as the data term's. The controls random and shrink always have the latter.
     */
    public enum Weight { PAPER, NORMALISED }

    /**
     * The loss at one latent.
     *
     * @param data the data term
     * @param residual the residual's norm
     * @param total the gradient [1,h,w,c] of the loss
     * @param dataNorm, secondNorm the norms of the two terms' gradients, without weight, if they were computed apart, else NaN
     */
    public record Gradient(double data, double residual, Tensor total, double dataNorm, double secondNorm) {}

    private final Problem p;
    private final Run run;
    private final Surrogate loss;
    private final SecondOrder term;
    private final double eta;
    private final Weight weighting;
    private final double perLambda;
    private final int d;
    private double weight;
    private long draws;

    /** @param perLambda the factor of the paper's weight: 1, or 1/lambda where the step multiplies the gradient by lambda */
    public SurrogateGradient(Problem p, Run run, Surrogate loss, SecondOrder term, double eta, Weight weighting,
                             double perLambda) {
        this.p = p;
        this.run = run;
        this.loss = loss;
        this.term = eta == 0 ? SecondOrder.NONE : term;
        this.eta = eta;
        this.weighting = weighting;
        this.perLambda = perLambda;
        d = (int) p.prior().latent().size();
    }

    /** The evaluations of all steps of a level. @param each the evaluations of one prediction of the noise */
    public static Nfe evaluations(SecondOrder term, double eta, int inner, int each) {
        if (inner == 0 || eta == 0 || !term.probes()) {
            return first(each).times(inner);
        }
        Nfe probe = term == SecondOrder.MEASURED ? probe(each) : Nfe.NONE;
        return apart(each).plus(fused(each).times(inner - 1)).plus(probe.times(inner));
    }

    private static Nfe first(int each) {
        return Nfe.unet(each, each).plus(Nfe.decode(1, 1));
    }

    private static Nfe fused(int each) {
        return Nfe.unet(2L * each, 2L * each).plus(Nfe.decode(1, 1));
    }

    private static Nfe apart(int each) {
        return Nfe.unet(2L * each, 4L * each).plus(Nfe.decode(1, 1));
    }

    private static Nfe probe(int each) {
        return Nfe.unet(each, 0).plus(Nfe.decode(1, 1));
    }

    /** Computes the loss and its gradient at z. @param first true in the first step of a level */
    public Gradient at(Tensor z, NoiseLevel level, boolean first) {
        Map<String, Tensor> in = Surrogate.inputs(z, p.y(), level);
        run.counts().nfe(1);
        return term.probes() ? probed(z, level, first, in) : unprobed(z, in);
    }

    private Gradient unprobed(Tensor z, Map<String, Tensor> in) {
        in.put("lambda", Tensor.scalar(1));
        Map<String, Tensor> out = run(Surrogate.Gradient.FIRST_ORDER, first(each()), in);
        Tensor g = out.get("grad");
        double length = Vectors.norm(g);
        Tensor direction = switch (term) {
            case SHRINK -> z;
            case RANDOM -> new Philox(p.seed(), Philox.Stream.PROBE).normals(d * draws++, z.shape());
            default -> null;
        };
        double norm = direction == null ? 0 : Vectors.norm(direction);
        Tensor total = norm == 0 ? g : Vectors.minus(g, direction, -eta * length / norm);
        return new Gradient(out.get("data").get(0), out.get("residual").get(0), total, length, norm);
    }

    private Gradient probed(Tensor z, NoiseLevel level, boolean first, Map<String, Tensor> in) {
        Tensor e = probe(z, level);
        double scale = 1; // the factor by which the probe's squared length exceeds d
        if (term == SecondOrder.MEASURED) {
            scale = Vectors.dot(e, e) / d;
            e = scale == 0 ? e : Vectors.scale(1 / Math.sqrt(scale), e);
        }
        in.put("probe", e);
        in.put("h", Tensor.scalar(loss.h(level)));
        return first ? apart(level, scale, in) : fused(scale, in);
    }

    private Gradient fused(double scale, Map<String, Tensor> in) {
        in.put("lambda", Tensor.scalar(1));
        in.put("trace_weight", Tensor.scalar(weight * scale));
        Map<String, Tensor> out = run(Surrogate.Gradient.FUSED, fused(each()), in);
        return new Gradient(out.get("data").get(0), out.get("residual").get(0), out.get("grad"), Double.NaN, Double.NaN);
    }

    private Gradient apart(NoiseLevel level, double scale, Map<String, Tensor> in) {
        Map<String, Tensor> out = run(Surrogate.Gradient.APART, apart(each()), in);
        double data = Vectors.norm(out.get("grad_data"));
        double second = scale * Vectors.norm(out.get("grad_trace"));
        double residual = out.get("residual").get(0);
        weight = (term == SecondOrder.FLIPPED ? -1 : 1) * switch (weighting) {
            case PAPER -> eta * formula(level, residual) * perLambda;
            case NORMALISED -> second > 0 ? eta * data / second : 0;
        };
        Tensor g = Vectors.minus(out.get("grad_data"), out.get("grad_trace"), -weight * scale);
        return new Gradient(out.get("data").get(0), residual, g, data, second);
    }

    /** Returns the factor of the trace's gradient for eta = 1. */
    private double formula(NoiseLevel level, double residual) {
        double covariance = Math.pow(level.sigma(), 4) / level.abar();
        return switch (term) {
            case COVARIANCE -> covariance / d;
            case MEASURED -> covariance * switch (loss.norm()) {
                case SUM -> 1;
                case MEAN -> 1.0 / p.y().size();
                case NORM -> residual > 0 ? 1 / (2 * residual) : 0; // the derivative of |r| in |r|^2
            };
            default -> 1.0 / d;
        };
    }

    /** Draws the probe; for the measured covariance it is v = J_D^T A^T e, otherwise e itself. */
    private Tensor probe(Tensor z, NoiseLevel level) {
        Philox random = new Philox(p.seed(), Philox.Stream.PROBE);
        if (term != SecondOrder.MEASURED) {
            return random.normals(d * draws++, z.shape());
        }
        Map<String, Tensor> in = level.tensors("");
        in.put("z", z);
        in.put("e", random.normals(p.y().size() * draws++, p.y().shape()));
        return run.evaluate(p.operator(), "measured_probe", probe(each()), this::measuredProbe, in).get("v");
    }

    private Program measuredProbe() {
        Prior prior = p.prior();
        Tracer t = new Tracer("measured_probe");
        Value z = t.input("z", Type.real(prior.latent()));
        Value e = t.input("e", Type.real(p.y().shape()));
        NoiseLevel.Traced level = NoiseLevel.inputs(t, "");
        Value mean = level.mean(t, z, prior.denoiser().eps(t, z, level));
        Value r = p.operator().residual(t, t.zeros(p.y().shape()), prior.codec().decode(t, mean)); // -A D(zbar)
        t.output("v", t.scale(Vjp.pull(t, Map.of(r, e), mean)[0], -1));
        return Simplify.of(t.finish());
    }

    private Map<String, Tensor> run(Surrogate.Gradient gradient, Nfe nfe, Map<String, Tensor> in) {
        return run.evaluate(p.operator(), List.of(loss, gradient), nfe,
                () -> loss.program(p.prior().latent(), p.image(), gradient), in);
    }

    private int each() {
        return p.prior().denoiser().evaluations();
    }
}
