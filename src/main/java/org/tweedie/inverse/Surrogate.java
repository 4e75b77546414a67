// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.diffusion.Codec;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;
import org.tweedie.program.op.HutchinsonEstimate;
import org.tweedie.program.op.HutchinsonPair;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * STSL's surrogate loss (arXiv 2312.00852, eq. 4), per sample:
 *
 * <pre>  L = lambda data + w trace,   data = |y - A D(zbar)|^2,   trace = e.(s(z + h e) - s(z)) / h</pre>
 *
 * with zbar Tweedie's mean, s = -eps/sigma the score and e a normal probe; w = eta/d and h = 1 in the paper. The trace term
 * estimates Tr(Hess log p(z)), which together with the data term bounds log p(y|z) from below.
 */
public record Surrogate(Denoiser denoiser, Codec codec, MeasurementOperator operator, Norm norm, Probe probe) {
    /**
     * The data term: the squared norm of the residual, the squared norm divided by the number of its values, or the plain
     * norm (as in PSLD's and DPS's code).
     */
    public enum Norm { SUM, MEAN, NORM }

    /**
     * The estimate of the trace: a finite difference with h = 1 (the paper's formula), with h = {@value #SCALE} sigma, or the
     * exact e.J e.
     */
    public enum Probe { UNIT, SCALED, EXACT }

    /**
     * The step h of the scaled probe over sigma: it is within the noise that the network was trained for, and well above
     * rounding.
     */
    public static final double SCALE = 0.1;

    /** The gradients that a program returns. */
    public enum Gradient {
        /** The gradient of the data term alone; the network runs on z only. */
        FIRST_ORDER,
        /**
         * The gradient of the weighted sum: one evaluation of the batch [z, z + h e] and one pull-back of both terms
         * together.
         */
        FUSED,
        /** The gradients of the two terms separately, to compare their norms; this takes one more pull-back. */
        APART
    }

    /** The terms of the loss, each [B]; the trace is null in the first-order form. */
    public record Terms(Value data, Value residualNorm, Value trace) {}

    /** Returns the step h of the probe at a noise level. */
    public double h(NoiseLevel level) {
        return probe == Probe.SCALED ? SCALE * level.sigma() : 1;
    }

    /** Traces the loss at z [B,h,w,c] for a measurement y [B,..] and a probe e of z's shape (null: no trace term). */
    public Terms trace(Tracer t, Value z, NoiseLevel.Traced level, Value y, Value e, Value h) {
        int b = z.dim(0);
        Value mean; // zbar [B,h,w,c]
        Value trace = null;
        if (e == null || probe == Probe.EXACT) {
            Value eps = denoiser.eps(t, z, level);
            mean = level.mean(t, z, eps);
            trace = e == null ? null : score(t, t.sumPerSample(t.mul(e, Jvp.push(t, Map.of(z, e), eps)[0])), level);
        } else {
            Value both = denoiser.eps(t, t.emit1(new HutchinsonPair(), z, e, h), level); // [2B,h,w,c]
            // the score is -eps/sigma
            List<Value> estimate = t.emit(new HutchinsonEstimate(-1), z, both, e, h, level.sigma(), level.sqrtAbar());
            mean = estimate.get(0);
            trace = estimate.get(1);
        }
        Value x = codec.decode(t, mean); // [B,H,W,3]
        Value r = operator.residual(t, y, x);
        Value squares = t.sumPerSample(t.mul(r, r)); // [B]
        Value length = t.unary(Fn.SQRT, squares);
        Value data = switch (norm) {
            case SUM -> squares;
            case MEAN -> t.scale(squares, 1.0 / (r.shape().size() / b));
            case NORM -> length;
        };
        return new Terms(data, length, trace);
    }

    private static Value score(Tracer t, Value eps, NoiseLevel.Traced level) {
        return t.scale(t.div(eps, level.sigma()), -1);
    }

    /**
     * Traces the loss as a program. The inputs are z, y, the level, lambda and, unless first order, probe, h and
     * trace_weight. The outputs are data, residual (norms of the residuals), trace, and either grad or grad_data and
     * grad_trace (of the terms with weight 1).
     *
     * <p>The data term is scaled by a power of two for its pull-back, and its gradient is divided by the same power, which is
     * exact. The scaling is needed because F16 has no positive numbers below 6e-8.
     *
     * @param z shape of the latent [B,h,w,c]
     * @param image shape of the picture [B,H,W,3]
     */
    public Program program(Shape z, Shape image, Gradient gradient) {
        Tracer t = new Tracer("surrogate");
        Value zIn = t.input("z", Type.real(z));
        Value y = t.input("measurement", Type.real(operator.outShape(image)));
        NoiseLevel.Traced level = NoiseLevel.inputs(t, "");
        boolean second = gradient != Gradient.FIRST_ORDER;
        Value e = second ? t.input("probe", Type.real(z)) : null;
        Value h = second ? t.input("h", Type.real()) : null;
        Terms terms = trace(t, zIn, level, y, e, h);
        t.output("data", terms.data);
        t.output("residual", terms.residualNorm);
        Shape batch = terms.data.shape();
        double scale = pullBackScale(y.shape().size() / batch.dim(0));
        Map<Value, Value> seeds = new HashMap<>();
        if (gradient == Gradient.APART) {
            t.output("trace", terms.trace);
            t.output("grad_data", scaled(t, Vjp.pull(t, Map.of(terms.data, t.broadcast(t.constant(scale), batch)), zIn)[0],
                    1 / scale));
            t.output("grad_trace", Vjp.pull(t, Map.of(terms.trace, t.broadcast(t.constant(1.0), batch)), zIn)[0]);
            return Simplify.of(t.finish());
        }
        seeds.put(terms.data, scaled(t, t.broadcast(t.input("lambda", Type.real()), batch), scale));
        if (second) {
            t.output("trace", terms.trace);
            seeds.put(terms.trace, scaled(t, t.broadcast(t.input("trace_weight", Type.real()), batch), scale));
        }
        t.output("grad", scaled(t, Vjp.pull(t, seeds, zIn)[0], 1 / scale));
        return Simplify.of(t.finish());
    }

    private static Value scaled(Tracer t, Value x, double scale) {
        return scale == 1 ? x : t.scale(x, scale);
    }

    /**
     * Returns a power of two that makes the cotangent of n residuals about as large as the residuals are (for their norm:
     * about 1 each), rounded down.
     */
    private double pullBackScale(long n) {
        return Math.scalb(1.0, Math.getExponent(switch (norm) {
            case SUM -> 1.0;
            case MEAN -> Math.max(1, n / 2.0);
            case NORM -> Math.sqrt(n);
        }));
    }

    /** Returns the input tensors that are common to all kinds of gradients. */
    public static Map<String, Tensor> inputs(Tensor z, Tensor y, NoiseLevel level) {
        Map<String, Tensor> in = new HashMap<>(level.tensors(""));
        in.put("z", z);
        in.put("measurement", y);
        return in;
    }
}
