// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.Map;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Prior;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * Traces the gradient of a loss on the clean estimate zbar(z) with respect to z. It takes one network evaluation and one
 * pull-back through the network and the loss.
 */
public final class LossGradient {
    /** Added to the square of a norm, where it is lost in rounding unless the norm is zero. */
    private static final double TINY = 1e-30;

    private LossGradient() {}

    /**
     * The values that a loss may use.
     *
     * @param zbar Tweedie's mean E[z0 | z], [1,h,w,c]
     * @param x the decoded mean D(zbar), [1,H,W,3]
     * @param r the residual y - A D(zbar)
     */
    public record At(Value zbar, Value x, Value r) {
        /** Traces the residual's norm |y - A D(zbar)|, []. */
        public Value residualNorm(Tracer t) {
            return norm(t, r);
        }

        /** Traces the residual's squared norm |y - A D(zbar)|^2, []. */
        public Value residualSquared(Tracer t) {
            return squared(t, r);
        }
    }

    /** Traces the loss to be minimised, a scalar. */
    @FunctionalInterface
    public interface Loss {
        /** Traces the loss, [], from the values that it may use. */
        Value trace(Tracer t, At at);
    }

    /** Traces the norm of a value over all its elements, []. Its gradient is zero where the value is exactly zero. */
    public static Value norm(Tracer t, Value v) {
        return t.unary(Fn.SQRT, t.affine(squared(t, v), 1, TINY));
    }

    private static Value squared(Tracer t, Value v) {
        return t.reshape(t.sumPerSample(t.mul(v, v)), Shape.of());
    }

    /**
     * Traces the program. Its inputs are those of {@link #inputs}; its outputs are eps, residual (the residual's norm) and
     * grad, the loss's gradient in z.
     */
    public static Program program(String name, Problem p, Loss loss) {
        Prior prior = p.prior();
        Tracer t = new Tracer(name);
        Value z = t.input("z", Type.real(prior.latent()));
        Value y = t.input("measurement", Type.real(p.y().shape()));
        NoiseLevel.Traced level = NoiseLevel.inputs(t, "");
        Value eps = prior.denoiser().eps(t, z, level);
        Value zbar = level.mean(t, z, eps);
        Value x = prior.codec().decode(t, zbar);
        At at = new At(zbar, x, p.operator().residual(t, y, x));
        t.output("eps", eps);
        t.output("residual", at.residualNorm(t));
        Value l = loss.trace(t, at);
        t.output("grad", Vjp.pull(t, Map.of(l, t.constant(1.0)), z)[0]);
        return Simplify.of(t.finish());
    }

    /**
     * Traces the gradient of a loss on a latent z itself, which takes the decoder but no network. The inputs are z and
     * measurement; the outputs are residual and grad. The loss may declare further inputs and outputs.
     */
    public static Program ofLatent(String name, Problem p, Loss loss) {
        Tracer t = new Tracer(name);
        Value z = t.input("z", Type.real(p.prior().latent()));
        Value y = t.input("measurement", Type.real(p.y().shape()));
        Value x = p.prior().codec().decode(t, z);
        At at = new At(z, x, p.operator().residual(t, y, x));
        t.output("residual", at.residualNorm(t));
        t.output("grad", Vjp.pull(t, Map.of(loss.trace(t, at), t.constant(1.0)), z)[0]);
        return Simplify.of(t.finish());
    }

    /** Returns the input tensors of {@link #program}. */
    public static Map<String, Tensor> inputs(Tensor z, Tensor y, NoiseLevel level) {
        return Surrogate.inputs(z, y, level);
    }
}
