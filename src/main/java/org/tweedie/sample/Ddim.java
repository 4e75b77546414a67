// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.program.Tensor;

/**
 * DDIM (arXiv 2010.02502, equations 12 and 16; the paper's alpha is our abar). The step from a level to the next, whose
 * quantities have dashes:
 *
 * <pre>
 * zbar  = (z - sigma eps) / sqrt(abar)
 * s     = eta sqrt((1 - abar') / (1 - abar)) sqrt(1 - abar / abar')
 * z'    = sqrt(abar') zbar + sqrt(1 - abar' - s^2) eps + s n,    n ~ N(0,I)
 * </pre>
 *
 * <p>It equals diffusers' DDIMScheduler if that scheduler steps from each timestep to the next: with leading spacing, and
 * with trailing spacing when the number of steps divides the schedule's length. Otherwise that scheduler steps by a fixed
 * stride, and so reaches a level that differs from the one at which it then evaluates the network; this sampler does not. If
 * the checkpoint does not give a spacing of timesteps, the spacing is leading.
 *
 * @param eta 0 is deterministic, 1 has the noise of ancestral sampling (DDPM)
 */
@Described(name = "ddim", source = "arXiv 2010.02502",
        text = "Denoising diffusion implicit models; deterministic, or with noise.")
public record Ddim(
        @Option(value = "0", min = 0, max = 1, symbol = "η", text = "The amount of noise that each step adds; 0 is "
                + "deterministic, 1 is ancestral sampling.")
        double eta) implements Sampler {
    public Ddim {
        Options.check(Ddim.class, eta);
    }

    @Override
    public Walk walk(NoiseSchedule schedule, int steps) {
        List<NoiseLevel> levels = new ArrayList<>(schedule.levels(steps));
        levels.add(schedule.level(-1));
        return new Path(List.copyOf(levels), this);
    }

    /** Returns s, the standard deviation of the noise that a step from one level to the next adds. */
    public double noise(NoiseLevel from, NoiseLevel to) {
        return eta * Math.sqrt((1 - to.abar()) / (1 - from.abar()) * (1 - from.abar() / to.abar()));
    }

    /** Returns the factor of eps in a step from one level to the next, sqrt(1 - abar' - s^2). */
    public double direction(NoiseLevel from, NoiseLevel to) {
        double s = noise(from, to);
        return Math.sqrt(Math.max(0, 1 - to.abar() - s * s)); // rounding may make it slightly negative
    }

    private record Path(List<NoiseLevel> levels, Ddim ddim) implements Walk {
        @Override
        public double initNoise() {
            return 1;
        }

        @Override
        public Tensor step(int i, Tensor z, Tensor eps, Supplier<Tensor> noise) {
            NoiseLevel from = levels.get(i);
            NoiseLevel to = levels.get(i + 1);
            double s = ddim.noise(from, to);
            double direction = ddim.direction(from, to);
            Tensor n = s > 0 ? noise.get() : null;
            double[] next = new double[Math.toIntExact(z.size())];
            for (int j = 0; j < next.length; j++) {
                double zbar = (z.get(j) - from.sigma() * eps.get(j)) / from.sqrtAbar();
                next[j] = to.sqrtAbar() * zbar + direction * eps.get(j) + (n == null ? 0 : s * n.get(j));
            }
            return Tensor.of(z.shape(), next);
        }
    }
}
