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
import org.tweedie.options.Described;
import org.tweedie.options.ForTask;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Value;
import org.tweedie.sample.Sampler;

/**
 * GML-DPS: latent DPS with the goodness modified loss, which arXiv 2307.00619 introduces on the way to PSLD. In addition to the
 * residual, a term draws zbar to the fixed points of the autoencoder, the latents that stay when they are decoded and encoded
 * again.
 *
 * <pre>
 * z ~ N(0,I)
 * for each level, noisiest first
 *     x = D(zbar(z));  loop = |zbar - E(x)|
 *     z = ddim(z) - grad_z (rho |y - A x| + w loop)
 * x = D(z)
 * </pre>
 *
 * <p>Conventions: both norms are plain, not squared; the gradient is taken at z, through the network, the decoder and the
 * encoder, and is subtracted after the sampler's step; the result is the decoded last z. The weights are those of the code of
 * Flash-Diffusion (github.com/z-fabian/flash-diffusion, for a latent model of faces), which samples with DDPM
 * ({@code sampler=ddim:eta=1} here); the default here is DDIM without noise, as for the other solvers of this family.
 */
@ForTask(task = "inpaint:random", options = "rho=10,w=0.05", source = "the configuration of flash-diffusion")
@Described(name = "gml-dps",
        conventions = "Both terms are plain norms: |y - A D(zbar)| and |zbar - E(D(zbar))|, with the encoder's mean and no "
        + "clipping. Their gradient in z, through UNet, decoder and encoder, is subtracted after the sampler's "
        + "step. Starts from noise; sampler ddim with eta 0; the result is D(z) of the last z, without pixel "
        + "consistency. The standard deviation of the noise is not used.",
        source = "arXiv 2307.00619; weights of flash-diffusion's code",
        text = "GML-DPS: latent DPS with a term that draws the latent to the fixed points of the autoencoder.")
public record GmlDps(
        @Option(value = "1000", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "2", min = 0, symbol = "ρ", text = "The factor of the gradient of the residual's norm.") double rho,
        @Option(value = "0.05", min = 0, symbol = "w", text = "The factor of the gradient of the autoencoder's term; 0 is LDPS.")
        double w,
        @Option(value = "ddim", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "noise", text = "The latent to start from: noise, qsample (the encoded start picture with noise), ddim "
                + "(its inversion) or ddim-noise (its inversion with noise).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public GmlDps {
        Options.check(GmlDps.class, steps, rho, w, sampler, init, consistency);
    }

    /** The columns: "loop" is |zbar - E(D(zbar))|. */
    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "loop", "gradient", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        return guided().evaluations(level(each), each);
    }

    private GuidedSampling guided() {
        return new GuidedSampling("gml-dps", steps, 1, 1, sampler, init, consistency);
    }

    private static Nfe level(int each) {
        return Nfe.unet(each, each).plus(Nfe.decode(1, 1)).plus(Nfe.encode(1, 1));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        int each = p.prior().denoiser().evaluations();
        return guided().solve(p, listener, new GuidedSampling.Guide(List.of(rho, w), level(each), "loop", (t, at) -> {
            Value loop = LossGradient.norm(t, t.sub(at.zbar(), p.prior().codec().encode(t, at.x())));
            t.output("loop", loop);
            return t.add(t.scale(at.residualNorm(t), rho), t.scale(loop, w));
        }));
    }
}
