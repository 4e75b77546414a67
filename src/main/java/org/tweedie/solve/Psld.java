// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.GuidedSampling;
import org.tweedie.inverse.LossGradient;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.StateProjection;
import org.tweedie.measure.LinearOperator;
import org.tweedie.options.Described;
import org.tweedie.options.ForTask;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Value;
import org.tweedie.sample.Sampler;

/**
 * PSLD: posterior sampling with latent diffusion (arXiv 2307.00619, algorithm 2). In addition to the residual, a gluing term
 * pulls zbar towards the latent that the encoder gives for the decoded picture after that picture was made to agree with the
 * measurement. This implementation differs from the published code in three points: A^T is the true adjoint, inpainting is
 * treated like any other operator, and no noise is added to the predicted measurement.
 *
 * <pre>
 * z ~ N(0,I)
 * for each level, noisiest first
 *     x = D(zbar(z));  glue = |E(A^T y + x - A^T A x) - zbar|
 *     z = ddim(z) - grad_z (omega |y - A x| + gamma glue)
 * x = D(z)
 * </pre>
 *
 * <p>With the option {@code state-variance} below 1, the gradient of both terms together is projected as DiffStateGrad does
 * it, see {@link StateProjection}.
 */
@ForTask(task = "inpaint:box", options = "omega=0.1,gamma=0.01", source = "the run script of its code")
@Described(name = "psld", conventions = "Both terms are plain norms: |y - A D(zbar)|, and |E(A^T y + x - A^T A x) - "
        + "zbar| with the true adjoint A^T, the encoder's mean and no clipping. Their gradient in z, through UNet, decoder "
        + "and encoder, is subtracted after the sampler's step. Starts from noise; sampler ddim with eta 0; the result is "
        + "D(z) of the last z, without pixel consistency. The standard deviation of the noise is not used.",
        source = "arXiv 2307.00619; defaults of its code",
        text = "PSLD: latent DPS with a gluing term that pulls the latent towards the encoding of the corrected picture.")
public record Psld(
        @Option(value = "1000", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "1", min = 0, symbol = "ω", text = "The factor of the gradient of the residual's norm.") double omega,
        @Option(value = "0.1", min = 0, symbol = "γ", text = "The factor of the gluing term's gradient; 0 is LDPS.")
        double gamma,
        @Option(value = "1", above = 0, max = 1, text = "The gradient is projected onto the leading singular vectors of each "
                + "channel of z that explain this fraction of its squared norm (DiffStateGrad, which takes 0.99); 1 leaves the "
                + "gradient as it is.")
        double stateVariance,
        @Option(value = "ddim", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "noise", text = "The latent to start from: noise, qsample (the encoded start picture with noise), "
                + "ddim (its inversion) or ddim-noise (its inversion with fresh noise).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public Psld {
        Options.check(Psld.class, steps, omega, gamma, stateVariance, sampler, init, consistency);
    }

    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "glue", "gradient", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        return guided().evaluations(level(each), each);
    }

    private GuidedSampling guided() {
        return new GuidedSampling("psld", steps, 1, stateVariance, sampler, init, consistency);
    }

    private static Nfe level(int each) {
        return Nfe.unet(each, each).plus(Nfe.decode(1, 1)).plus(Nfe.encode(1, 1));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        LinearOperator a = LinearOperator.require(p.operator(), "psld");
        int each = p.prior().denoiser().evaluations();
        return guided().solve(p, listener, new GuidedSampling.Guide(List.of(omega, gamma), level(each), "glue", (t, at) -> {
            Value corrected = t.add(at.x(), a.adjoint(t, at.r(), p.image())); // x + A^T (y - A x), [1,H,W,3]
            Value glue = LossGradient.norm(t, t.sub(p.prior().codec().encode(t, corrected), at.zbar()));
            t.output("glue", glue);
            return t.add(t.scale(at.residualNorm(t), omega), t.scale(glue, gamma));
        }));
    }
}
