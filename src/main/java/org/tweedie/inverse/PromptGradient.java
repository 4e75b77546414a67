// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.Map;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.PromptedDenoiser;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * Traces the gradient of the residual's norm |y - A D(zbar(z, c))| for a text c that is an input, with respect to the latent z
 * or to the text. It takes one network evaluation and one pull-back through the network and the decoder.
 */
public final class PromptGradient {
    /** The input to which the gradient goes. */
    public enum Wrt { LATENT, TEXT }

    private PromptGradient() {}

    /**
     * Traces the program. Its inputs are those of {@link #inputs}; its outputs are eps, image (the decoded mean D(zbar)
     * [1,H,W,3]), residual (the residual's norm) and grad, of the shape of z or of the text.
     *
     * <p>The norm is scaled by a power of two for its pull-back, and the gradient is divided by the same power, which is exact.
     * The scaling is needed because F16 has no positive numbers below 6e-8.
     */
    public static Program program(String name, Problem p, PromptedDenoiser denoiser, Wrt wrt) {
        Tracer t = new Tracer(name);
        Value z = t.input("z", Type.real(p.prior().latent()));
        Value y = t.input("measurement", Type.real(p.y().shape()));
        NoiseLevel.Traced level = NoiseLevel.inputs(t, "");
        Value text = t.input("text", Type.real(denoiser.text().shape()));
        Value eps = denoiser.eps(t, z, level, text);
        Value x = p.prior().codec().decode(t, level.mean(t, z, eps));
        Value norm = LossGradient.norm(t, p.operator().residual(t, y, x));
        t.output("eps", eps);
        t.output("image", x);
        t.output("residual", norm);
        double scale = Math.scalb(1.0, Math.getExponent(Math.sqrt(y.shape().size()))); // the cotangent of r is r / |r|
        Value g = Vjp.pull(t, Map.of(norm, t.constant(scale)), wrt == Wrt.TEXT ? text : z)[0];
        t.output("grad", scale == 1 ? g : t.scale(g, 1 / scale));
        return Simplify.of(t.finish());
    }

    /** Returns the input tensors of {@link #program}. @param text the text c, of the shape of the denoiser's own */
    public static Map<String, Tensor> inputs(Tensor z, Tensor y, NoiseLevel level, Tensor text) {
        Map<String, Tensor> in = Surrogate.inputs(z, y, level);
        in.put("text", text);
        return in;
    }
}
