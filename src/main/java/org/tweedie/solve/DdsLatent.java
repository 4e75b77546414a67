// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.PixelOperator;
import org.tweedie.inverse.PixelProx;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Sampler;

/**
 * Decomposed diffusion sampling in latent space: the loop of TReg (arXiv 2311.15658) without its adaptive negation. The
 * decoded mean is moved onto the measurement by a few conjugate gradients, as DDS (arXiv 2303.05754) does in pixel space, and
 * encoded again. No pull-back through a network is needed.
 *
 * <pre>
 * z ~ N(0,I)
 * for each level i, noisiest first; a is abar of the next level
 *     eps = eps(z);  zhat = (z - sigma eps) / sqrt(abar)
 *     if i is a multiple of every, and i is below until T
 *         x0y = CG on (A^T A + lam I) x = A^T y + lam D(zhat), from D(zhat)       {@link PixelProx}
 *         zema = a E(x0y) + (1 - a) zhat
 *         z = sqrt(a) zema + (1 - a) eps + sqrt((1 - a) a) n,    n ~ N(0,I)
 *     else z = ddim(z)
 * x = D(zhat of the last level)
 * </pre>
 *
 * <p>It is not called TReg, because TReg's adaptive negation is left out: there, the embedding of the negative text is
 * optimised during sampling to be unlike the CLIP image embedding of x0y, which needs CLIP's image encoder. The rest of TReg's
 * guidance by text belongs to the prior ({@link org.tweedie.diffusion.Conditioning}) and not to this solver; TReg's scripts
 * use guidance 5 and the negative text "out of focus, depth of field". Two more departures from the published code: the
 * encoder gives the posterior's mean and not a sample, and abar belongs to the timestep that the network gets (the published
 * code shifts its table of abar by one timestep).
 */
@Described(name = "dds-latent",
        conventions = "There is no loss and no gradient: conjugate gradients on |y - A x|^2 + lam |x - D(zbar)|^2 move the "
        + "decoded mean, whose encoding (the encoder's mean) is mixed with zbar before noise is added again. Starts from "
        + "noise; sampler ddim with eta 0 at the other levels; the result is D(zbar) of the last level, without pixel "
        + "consistency. TReg's adaptive negation is left out. The standard deviation of the noise is not used.",
        source = "arXiv 2311.15658 (TReg) without adaptive negation; defaults of its code",
        text = "DDS in latent space, which is TReg without its adaptive negation: moves the decoded mean onto the measurement "
                + "by conjugate gradients at every third level; needs no pull-back through a network.")
public record DdsLatent(
        @Option(value = "200", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "3", min = 1, text = "The distance between two levels at which the mean is corrected; 1 is every level.")
        int every,
        @Option(value = "0.85", min = 0, max = 1, text = "The fraction of the levels, from the noisiest on, within which the "
                + "mean is corrected; 0 is plain sampling.") double until,
        @Option(value = "0.0001", min = 0, symbol = "λ", text = "The weight of the distance to the decoded mean.") double lam,
        @Option(value = "5", min = 1, text = "The number of iterations of conjugate gradients.") int iterations,
        @Option(value = "ddim", text = "The sampler that goes on from a level without correction.") Sampler sampler,
        @Option(value = "noise", text = "The latent to start from: noise, qsample (the encoded start picture with noise), "
                + "ddim (its inversion) or ddim-noise (its inversion with fresh noise).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public DdsLatent {
        Options.check(DdsLatent.class, steps, every, until, lam, iterations, sampler, init, consistency);
    }

    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "correction", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        long corrections = (end() + every - 1) / every;
        return init.evaluations(steps, each).plus(Nfe.unet(each, 0).times(steps))
                .plus(Nfe.decode(1, 0).plus(Nfe.encode(1, 0)).times(corrections)).plus(Nfe.decode(1, 0));
    }

    /** The number of levels within which the mean is corrected. */
    private int end() {
        return (int) Math.rint(until * steps);
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        Run run = new Run(p.prior(), listener);
        PixelOperator a = new PixelOperator(p, run);
        PixelProx prox = new PixelProx(a, lam, iterations, "dds-latent");
        Sampler.Walk walk = sampler.walk(p.prior().schedule(), steps);
        Supplier<Tensor> noise = Start.stepNoise(p);
        Tensor z = init.at(walk, p, run);
        Tensor zhat = z;
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            Tensor eps = run.eps(z, level);
            run.counts().nfe(1);
            zhat = Vectors.mix(1 / level.sqrtAbar(), z, -level.sigma() / level.sqrtAbar(), eps);
            Finite.require(zhat, "dds-latent: step " + (i + 1) + " of " + steps + " (" + level + "): mean of the latent");
            Tensor before = z;
            double residual = Double.NaN;
            double correction = Double.NaN;
            if (i % every == 0 && i < end()) {
                Tensor x0 = run.decode(zhat);
                residual = Vectors.norm(a.residual(x0)) / p.noiseNorm();
                Tensor z0y = run.encode(prox.of(x0));
                correction = Vectors.norm(Vectors.minus(z0y, zhat, 1));
                z = noised(zhat, z0y, eps, walk.levels().get(i + 1).abar(), noise.get());
            } else {
                z = walk.step(i, z, eps, noise);
            }
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(), Map.of(Step.RESIDUAL, residual, "correction", correction,
                    "move", Vectors.norm(Vectors.minus(z, before, 1)))));
        }
        return consistency.finish(zhat, p, run);
    }

    /** Returns the latent at the next level, whose abar is a. */
    private static Tensor noised(Tensor zhat, Tensor z0y, Tensor eps, double a, Tensor n) {
        Tensor zema = Vectors.mix(a, z0y, 1 - a, zhat);
        return Vectors.minus(Vectors.mix(Math.sqrt(a), zema, 1 - a, eps), n, -Math.sqrt((1 - a) * a));
    }
}
