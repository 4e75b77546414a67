// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.NoiseSchedule.Spacing;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.program.Tensor;

/**
 * DPM-Solver++(2M), the multistep solver of second order (arXiv 2211.01095, algorithm 2; the default of diffusers'
 * DPMSolverMultistepScheduler). The paper's alpha is sqrt(abar), and lambda = log(alpha / sigma). The step from a level to
 * the next, whose quantities have dashes:
 *
 * <pre>
 * m  = (z - sigma eps) / alpha                   zbar at this level; m_ and lambda_ are those of the level before
 * h  = lambda' - lambda
 * r  = (lambda - lambda_) / h
 * D  = m + (m - m_) / (2 r)
 * z' = (sigma' / sigma) z - alpha' (exp(-h) - 1) D
 * </pre>
 *
 * <p>The first step of a walk, at whichever level it starts, has no level before it, so D = m. Sampling ends without noise,
 * where h is infinite: the last step has D = m too and ends at z' = m, for any number of steps. If the checkpoint does not
 * give a spacing of timesteps, the spacing is linspace.
 *
 * @param karras true if the levels are those of arXiv 2206.00364 (equation 5) over the whole schedule; the network then gets
 *         the nearest training timestep
 */
@Described(name = "dpmpp-2m", source = "arXiv 2211.01095", text = "DPM-Solver++(2M), a multistep solver of second order.")
public record Dpmpp2m(
        @Option(value = "false", text = "If true, the levels are spaced as by Karras and others (arXiv 2206.00364).")
        boolean karras) implements Sampler {
    @Override
    public Walk walk(NoiseSchedule schedule, int steps) {
        int most = schedule.length() - 1;
        if (steps < 1 || steps > most) {
            throw new IllegalArgumentException("steps: expected 1 to " + most + ", got " + steps);
        }
        List<NoiseLevel> levels = new ArrayList<>(karras ? karras(schedule, steps) : spaced(schedule, steps));
        levels.add(new NoiseLevel(-1, 1));
        for (int i = 0; i < steps; i++) {
            if (levels.get(i).abar() >= levels.get(i + 1).abar()) {
                throw new IllegalArgumentException("steps: expected fewer than " + steps + ", since levels " + i + " and "
                        + (i + 1) + " would be the same on this schedule");
            }
        }
        return new Path(List.copyOf(levels));
    }

    private static List<NoiseLevel> karras(NoiseSchedule schedule, int steps) {
        List<NoiseLevel> levels = new ArrayList<>();
        for (double r : Karras.ratios(schedule.level(schedule.length() - 1).ratio(), schedule.level(0).ratio(), steps)) {
            levels.add(NoiseLevel.ofRatio(Math.rint(schedule.timestep(r)), r));
        }
        return levels;
    }

    /**
     * Returns the levels of a walk. Leading and linspace spacing use one timestep more than there are steps and leave out the
     * last one, in whose place sampling ends without noise.
     */
    private static List<NoiseLevel> spaced(NoiseSchedule schedule, int steps) {
        Spacing spacing = schedule.spacing(Spacing.LINSPACE);
        double[] timesteps = schedule.timesteps(spacing, spacing == Spacing.TRAILING ? steps : steps + 1);
        return Arrays.stream(timesteps, 0, steps).mapToObj(t -> schedule.level((int) Math.rint(t))).toList();
    }

    private static final class Path implements Walk {
        private final List<NoiseLevel> levels;
        /** The m of the levels visited so far; the last two are kept. */
        private final double[][] m;

        Path(List<NoiseLevel> levels) {
            this.levels = levels;
            m = new double[levels.size() - 1][];
        }

        @Override
        public List<NoiseLevel> levels() {
            return levels;
        }

        @Override
        public double initNoise() {
            return 1;
        }

        @Override
        public Tensor step(int i, Tensor z, Tensor eps, Supplier<Tensor> noise) {
            NoiseLevel from = levels.get(i);
            NoiseLevel to = levels.get(i + 1);
            double h = lambda(to) - lambda(from);
            double[] d = direction(i, z, eps, h);
            double[] next = new double[d.length];
            for (int j = 0; j < next.length; j++) {
                next[j] = to.sigma() / from.sigma() * z.get(j) - to.sqrtAbar() * Math.expm1(-h) * d[j];
            }
            return Tensor.of(z.shape(), next);
        }

        /** Computes D for the step at level i. */
        private double[] direction(int i, Tensor z, Tensor eps, double h) {
            NoiseLevel from = levels.get(i);
            m[i] = new double[Math.toIntExact(z.size())];
            for (int j = 0; j < m[i].length; j++) {
                m[i][j] = (z.get(j) - from.sigma() * eps.get(j)) / from.sqrtAbar();
            }
            if (i == 0 || m[i - 1] == null || i == m.length - 1) {
                return m[i];
            }
            if (i > 1) {
                m[i - 2] = null;
            }
            double r = (lambda(from) - lambda(levels.get(i - 1))) / h;
            double[] d = new double[m[i].length];
            for (int j = 0; j < d.length; j++) {
                d[j] = m[i][j] + (m[i][j] - m[i - 1][j]) / (2 * r);
            }
            return d;
        }

        private static double lambda(NoiseLevel level) {
            return -Math.log(level.ratio());
        }
    }
}
