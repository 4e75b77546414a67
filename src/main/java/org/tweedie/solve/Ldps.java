// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import org.tweedie.diffusion.Listener;
import org.tweedie.inverse.GuidedSampling;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.sample.Sampler;

/**
 * Latent DPS: diffusion posterior sampling (arXiv 2209.14687) through the decoder of a latent model. The gradient is
 * evaluated at z and subtracted after the sampler's step.
 *
 * <pre>
 * z ~ N(0,I)
 * for each level, noisiest first
 *     g = grad_z |y - A D(zbar(z))|
 *     z = ddim(z) - rho g
 * x = D(z)
 * </pre>
 */
@Described(name = "ldps", conventions = "The data term is the plain norm |y - A D(zbar)|. Its gradient in z, through decoder and "
        + "UNet, is subtracted after the sampler's step. Starts from noise; sampler ddim with eta 0; the result is D(z) "
        + "of the last z, without pixel consistency. A^T, A^+ and the standard deviation of the noise are not used.",
        source = "arXiv 2209.14687 in latent space; step 1 and 1000 steps as in arXiv 2503.12615's comparison",
        text = "Latent DPS: takes one step of the sampler and one gradient step on the residual's norm at each level.")
public record Ldps(
        @Option(value = "1000", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "1", min = 0, symbol = "ρ", text = "The factor of the gradient of the residual's norm.") double rho,
        @Option(value = "ddim", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "noise", text = "The latent to start from: noise, qsample (the encoded start picture with noise), "
                + "ddim (its inversion) or ddim-noise (its inversion with fresh noise).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public Ldps {
        Options.check(Ldps.class, steps, rho, sampler, init, consistency);
    }

    @Override
    public Nfe evaluations(int each) {
        return guided().evaluations(level(each), each);
    }

    private GuidedSampling guided() {
        return new GuidedSampling("ldps", steps, rho, 1, sampler, init, consistency);
    }

    private static Nfe level(int each) {
        return Nfe.unet(each, each).plus(Nfe.decode(1, 1));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        return guided().solve(p, listener, new GuidedSampling.Guide(List.of(), level(p.prior().denoiser().evaluations()), "",
                (t, at) -> at.residualNorm(t)));
    }
}
