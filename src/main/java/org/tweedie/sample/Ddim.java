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

/** DDIM. */
@Described(name = "ddim", text = "Denoising diffusion implicit models, deterministic or with noise.", source = "arXiv 2010.02502")
public record Ddim(
        @Option(value = "0", min = 0, max = 1, symbol = "η", text = "How much noise each step adds; 0 is deterministic, 1 is DDPM.") double eta)
        implements Sampler {
    public Ddim {
        Options.check(Ddim.class, eta);
    }

    @Override
    public Walk walk(NoiseSchedule schedule, int steps) {
        List<NoiseLevel> levels = new ArrayList<>(schedule.levels(steps));
        levels.add(schedule.after(levels.getLast(), steps));
        return new Walk() {
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
                double abar = levels.get(i).abar();
                double next = levels.get(i + 1).abar();
                double s = eta * Math.sqrt((1 - next) / (1 - abar) * (1 - abar / next));
                double[] n = s > 0 ? noise.get().doubles() : null;
                double[] out = z.doubles();
                for (int k = 0; k < out.length; k++) {
                    double e = eps.get(k);
                    double z0 = (out[k] - Math.sqrt(1 - abar) * e) / Math.sqrt(abar);
                    out[k] = Math.sqrt(next) * z0 + Math.sqrt(1 - next - s * s) * e + (n == null ? 0 : s * n[k]);
                }
                return Tensor.of(z.shape(), out);
            }
        };
    }
}
