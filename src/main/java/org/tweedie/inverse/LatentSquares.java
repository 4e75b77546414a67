// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.Map;
import org.tweedie.diffusion.Run;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Tensor;

/**
 * The squared residual |y - A D(z)|^2 of a clean latent z, with its gradient in z. It takes one decoding and one pull-back
 * through the decoder, and no evaluation of the network that predicts noise.
 */
public record LatentSquares(Problem p, Run run) {
    /** The network evaluations of one call of {@link #at}. */
    public static final Nfe EVALUATIONS = Nfe.decode(1, 1);

    /**
     * The result at one latent.
     *
     * @param residual the norm |y - A D(z)|
     * @param gradient the gradient of its square in z, [1,h,w,c]
     */
    public record Fit(double residual, Tensor gradient) {}

    /** Evaluates the squared residual at a latent z [1,h,w,c]. */
    public Fit at(Tensor z) {
        Map<String, Tensor> out = run.evaluate(p.operator(), "latent squares", EVALUATIONS,
                () -> LossGradient.ofLatent("latent_squares", p, (t, at) -> at.residualSquared(t)),
                Map.of("z", z, "measurement", p.y()));
        return new Fit(out.get("residual").get(0), out.get("grad"));
    }
}
