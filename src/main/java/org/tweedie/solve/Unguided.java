// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Map;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.PixelConsistency;
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
 * Plain sampling from the start, which is the control of every other solver: it shows what the start and the last step do
 * without guidance. With the start {@code noise} it ignores the measurement altogether.
 *
 * <pre>
 * z = forward(E(A+ y))                                   {@link Start}
 * for each level, noisiest first
 *     z = ddim(z)                                        {@link Sampler}
 * x = D(z)
 * </pre>
 *
 * <p>Conventions: there is no data term, so neither a norm nor a gradient; the result is the decoded last z. A step reports how
 * far it moved the latent, and no residual, since it decodes nothing.
 */
@Described(name = "ddim",
        conventions = "The measurement is used in the start only. Starts from the DDIM inversion of E(A^+ y); sampler ddim "
        + "with eta 0; the result is D(z) of the last z, without pixel consistency.",
        source = "arXiv 2010.02502",
        text = "Samples from the start without looking at the measurement: the control of the other solvers.")
public record Unguided(
        @Option(value = "50", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "ddim", text = "The sampler that goes from level to level.") Sampler sampler,
        @Option(value = "ddim", text = "The latent to start from: ddim inverts the encoded start picture, ddim-noise inverts it "
                + "with noise, qsample adds noise to it, noise ignores it.") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public Unguided {
        Options.check(Unguided.class, steps, sampler, init, consistency);
    }

    @Override
    public List<String> columns() {
        return List.of("move");
    }

    @Override
    public Nfe evaluations(int each) {
        return init.evaluations(steps, each).plus(Nfe.unet((long) steps * each, 0)).plus(Nfe.decode(1, 0));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        Run run = new Run(p.prior(), listener);
        Sampler.Walk walk = sampler.walk(p.prior().schedule(), steps);
        var noise = Start.stepNoise(p);
        Tensor z = init.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            Tensor next = walk.step(i, z, run.eps(z, level), noise);
            run.counts().nfe(1);
            Finite.require(next, "ddim: step " + (i + 1) + " of " + steps + " (" + level + "): latent z");
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(), Map.of("move", Vectors.norm(Vectors.minus(next, z, 1)))));
            z = next;
        }
        return consistency.finish(z, p, run);
    }
}
