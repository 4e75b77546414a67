// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.LeastSquares;
import org.tweedie.inverse.MomentMatching;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.ForTask;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Sampler;

/**
 * MMPS: moment matching posterior sampling (arXiv 2405.13712) through the decoder of a latent model. The posterior of z0 given
 * z has the mean zbar and the covariance C = gam J, where J = d zbar / d z and gam = sigma^2 / sqrt(abar). With B the
 * derivative of A D at zbar and v0 the variance of a measured value given z0, the mean given y as well is
 * zhat = zbar + C B^T (v0 I + B C B^T)^-1 (y - A D(zbar)). The inverse is applied approximately, in the Krylov space of k
 * iterations ({@link MomentMatching}); it is exact for a normal prior and a linear decoder if k reaches the rank.
 *
 * <pre>
 * z = sqrt(abar) E(A+ y) + sigma n                             {@link Start}
 * for each level, noisiest first
 *     q = r = y - A D(zbar(z))
 *     k times:  q = q - sum_i (q.v_i) v_i,  v = q/|q|,  d = gam J^T B^T v,  w = v0 v + B d,  q = w
 *     c = argmin |r - sum_j c_j w_j|                           {@link LeastSquares}
 *     zhat = zbar + sum_j c_j d_j;   eps' = (z - sqrt(abar) zhat) / sigma
 *     z = ddim(z, eps')                                        eta = 1
 * x = D(z)
 * </pre>
 *
 * <p>v0 = sigma_y^2 + sigma_ae^2, where sigma_ae^2 stands for what the decoder cannot represent. It is an option. The defaults
 * of tasks are 0.2 times mean |A (D(E(x)) - x)|^2 / m over 12 training pictures of the demo model; the factor is a guess that
 * was better than 1 for sr:8. The default of other tasks lies between them. An autoencoder of higher fidelity has a smaller
 * value.
 *
 * <p>Conventions: there is no step size; the correction is made to the clean estimate before the sampler's step; the result is
 * the decoded last z. Departures from the published method, which works on pixels: the decoder is linearised at zbar, and the
 * system is solved in the space of all iterations by least squares (which is what GMRES does) without a last pull-back, because
 * gam J^T B^T of the solution is the same combination of the d_j. With k = 0 it is plain sampling.
 */
@ForTask(task = "inpaint", options = "autoencoder-variance=0.0033", source = "0.2 times .01639, measured on the demo model "
        + "with pixels removed at random")
@ForTask(task = "inpaint:box", options = "autoencoder-variance=0.0031", source = "0.2 times .01538, measured on the demo model")
@ForTask(task = "denoise", options = "autoencoder-variance=0.0033", source = "as for pixels removed at random")
@ForTask(task = "sr:4", options = "autoencoder-variance=0.00067", source = "0.2 times .00337, measured on the demo model")
@ForTask(task = "sr:8", options = "autoencoder-variance=0.00035", source = "0.2 times .00174, measured on the demo model")
@ForTask(task = "blur", options = "autoencoder-variance=0.00033", source = "0.2 times .00164, measured on the demo model")
@ForTask(task = "motion", options = "autoencoder-variance=0.00022", source = "0.2 times .00108, measured on the demo model")
@Described(name = "mmps",
        conventions = "There is no step size. The correction zhat - zbar is made to the clean estimate, before the "
        + "sampler's step. Starts from E(A^+ y) with noise; sampler ddim with eta 1; the result is D(z) of the "
        + "last z, without pixel consistency. The noise variance that is solved with is sigma^2 plus the "
        + "autoencoder's.",
        source = "arXiv 2405.13712, carried over to latents",
        text = "MMPS: weights the residual with the inverse covariance of the measurement, by a few Krylov iterations.")
public record Mmps(
        @Option(value = "25", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "3", min = 0, symbol = "k", text = "The number of Krylov iterations at each level; 0 ignores the "
                + "measurement.") int iterations,
        @Option(value = "0.001", min = 0, symbol = "σ_ae²", text = "The variance that is added to the noise's, on the scale of "
                + "[-1,1], for what the autoencoder cannot represent.") double autoencoderVariance,
        @Option(value = "ddim:eta=1", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "qsample", text = "The latent to start from: qsample (the encoded start picture with noise), noise, "
                + "ddim (its inversion) or ddim-noise (its inversion with noise).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public Mmps {
        Options.check(Mmps.class, steps, iterations, autoencoderVariance, sampler, init, consistency);
    }

    /** The columns: "unsolved" is |r - sum c_j w_j| / |r|, "rank" the number of w_j used, "move" the length of zhat - zbar. */
    @Override
    public List<String> columns() {
        return List.of(Step.RESIDUAL, "unsolved", "rank", "move");
    }

    @Override
    public Nfe evaluations(int each) {
        return init.evaluations(steps, each).plus(level(each).times(steps)).plus(Nfe.decode(1, 0));
    }

    private Nfe level(int each) {
        return new Nfe(each, (long) iterations * each, 0, 1, iterations, iterations, 0, 0);
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        Run run = new Run(p.prior(), listener);
        Sampler.Walk walk = sampler.walk(p.prior().schedule(), steps);
        var noise = Start.stepNoise(p);
        int each = p.prior().denoiser().evaluations();
        double v0 = p.sigma() * p.sigma() + autoencoderVariance;
        Tensor z = init.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            String where = "mmps: step " + (i + 1) + " of " + steps + " (" + level + "): ";
            Map<String, Tensor> out = run.evaluate(p.operator(), List.of("mmps", iterations), level(each),
                    () -> MomentMatching.program("mmps", p, iterations), MomentMatching.inputs(z, p.y(), level, v0));
            run.counts().nfe(1);
            double residual = Finite.require(out.get("residual").get(0), where + "residual");
            LeastSquares fit = LeastSquares.of(out.get("r"), all(out, "w", where), all(out, "d", where), z.shape());
            // (z - sqrt(abar) zhat) / sigma
            Tensor guided = Vectors.minus(out.get("eps"), fit.d(), level.sqrtAbar() / level.sigma());
            z = Finite.require(walk.step(i, z, guided, noise), where + "latent z");
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(), Map.of(Step.RESIDUAL, residual / p.noiseNorm(),
                    "unsolved", residual > 0 ? fit.rest() / residual : 0, "rank", (double) fit.rank(),
                    "move", Vectors.norm(fit.d()))));
        }
        return consistency.finish(z, p, run);
    }

    private List<Tensor> all(Map<String, Tensor> out, String name, String where) {
        List<Tensor> all = new ArrayList<>();
        for (int j = 1; j <= iterations; j++) {
            all.add(Finite.require(out.get(name + j), where + "Krylov iteration " + j + ", " + name));
        }
        return all;
    }
}
