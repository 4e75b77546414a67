// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.NoiseSchedule.Spacing;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.program.Tensor;

/**
 * Euler's method (arXiv 2206.00364, algorithm 1; diffusers' EulerDiscreteScheduler). The paper's ODE is dx/dr = eps for
 * x = z / sqrt(abar) at r = sigma / sqrt(abar), which the paper calls sigma. The step from a level to the next, whose quantities
 * have dashes:
 *
 * <pre>
 * x  = z / sqrt(abar)
 * x' = x + (r' - r) eps
 * z' = sqrt(abar') x'
 * </pre>
 *
 * <p>If the checkpoint does not give a spacing of timesteps, the spacing is linspace. Sampling ends without noise.
 *
 * @param karras true if the levels between the noisiest and the last one are the paper's (equation 5); the network is then
 *         evaluated between training timesteps
 */
@Described(name = "euler", source = "arXiv 2206.00364", text = "Euler's method on the probability flow ODE.")
public record Euler(
        @Option(value = "false", text = "If true, the levels are spaced as by Karras and others (arXiv 2206.00364).")
        boolean karras) implements Sampler {
    @Override
    public Walk walk(NoiseSchedule schedule, int steps) {
        Spacing spacing = schedule.spacing(Spacing.LINSPACE);
        List<NoiseLevel> levels = new ArrayList<>();
        for (double t : schedule.timesteps(spacing, steps)) {
            levels.add(schedule.between(t));
        }
        if (karras) {
            double[] ratios = Karras.ratios(levels.getFirst().ratio(), levels.getLast().ratio(), steps);
            levels.clear();
            for (double r : ratios) {
                levels.add(NoiseLevel.ofRatio(schedule.timestep(r), r));
            }
        }
        levels.add(new NoiseLevel(-1, 1));
        return new Path(List.copyOf(levels), spacing == Spacing.LEADING ? 1 : levels.getFirst().sigma());
    }

    /**
     * One walk. With leading spacing, diffusers starts from x = sqrt(r^2 + 1) n, which is z = n; otherwise from x = r n,
     * which is z = sigma n.
     */
    private record Path(List<NoiseLevel> levels, double initNoise) implements Walk {
        @Override
        public Tensor step(int i, Tensor z, Tensor eps, Supplier<Tensor> noise) {
            NoiseLevel from = levels.get(i);
            NoiseLevel to = levels.get(i + 1);
            double[] next = new double[Math.toIntExact(z.size())];
            for (int j = 0; j < next.length; j++) {
                double x = z.get(j) / from.sqrtAbar();
                next[j] = to.sqrtAbar() * (x + (to.ratio() - from.ratio()) * eps.get(j));
            }
            return Tensor.of(z.shape(), next);
        }
    }
}
