// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.weights.Json;

/**
 * The variance-preserving noise schedule of a checkpoint (scheduler_config.json) and the timesteps that a sampler visits. abar(t) is the
 * fraction of variance that is signal (alphas_cumprod).
 */
public final class NoiseSchedule {
    /** What the network predicts: the noise eps, or v = sqrt(abar) eps - sqrt(1 - abar) z0. */
    public enum Prediction { EPSILON, V }

    private final double[] abar;
    private final double finalAbar;
    private final int stepsOffset;
    private final String spacing;
    private final Prediction prediction;

    /** @throws IllegalArgumentException when the config asks for a schedule that is not supported */
    public NoiseSchedule(Json c) {
        c.only("trained_betas", "null");
        c.only("rescale_betas_zero_snr", false);
        c.only("thresholding", false);
        abar = abar(c);
        finalAbar = c.flag("set_alpha_to_one", true) ? 1 : abar[0];
        stepsOffset = c.integer("steps_offset", 0);
        spacing = c.text("timestep_spacing", "leading");
        if (!List.of("leading", "linspace", "trailing").contains(spacing)) {
            throw new IllegalArgumentException(c.where() + ": 'timestep_spacing' expected leading, linspace or trailing, got " + spacing);
        }
        prediction = switch (c.text("prediction_type", "epsilon")) {
            case "epsilon" -> Prediction.EPSILON;
            case "v_prediction" -> Prediction.V;
            default -> throw new IllegalArgumentException(c.where() + ": 'prediction_type' expected epsilon or v_prediction, got "
                    + c.text("prediction_type", ""));
        };
    }

    /** The schedule of Stable Diffusion 1.x, as its scheduler_config.json says it. */
    public static NoiseSchedule stableDiffusion() {
        return new NoiseSchedule(scaledLinear(0.00085, 0.012, 1000), false, 1, "leading", Prediction.EPSILON);
    }

    /**
     * A schedule from numbers.
     *
     * @param abar the fraction of variance that is signal at each training timestep, falling
     * @param endAtOne whether sampling ends at abar = 1 rather than at abar[0] (set_alpha_to_one)
     * @param stepsOffset what is added to each timestep with spacing leading (steps_offset)
     * @param spacing leading, linspace or trailing (timestep_spacing)
     */
    public NoiseSchedule(double[] abar, boolean endAtOne, int stepsOffset, String spacing, Prediction prediction) {
        this.abar = abar.clone();
        this.finalAbar = endAtOne ? 1 : abar[0];
        this.stepsOffset = stepsOffset;
        this.spacing = spacing;
        this.prediction = prediction;
    }

    /** The abar of betas whose roots rise evenly (beta_schedule scaled_linear). */
    public static double[] scaledLinear(double betaStart, double betaEnd, int length) {
        double[] abar = new double[length];
        double product = 1;
        for (int i = 0; i < length; i++) {
            double f = length == 1 ? 0 : (double) i / (length - 1);
            product *= 1 - Math.pow(Math.sqrt(betaStart) + f * (Math.sqrt(betaEnd) - Math.sqrt(betaStart)), 2);
            abar[i] = product;
        }
        return abar;
    }

    private static double[] abar(Json c) {
        int n = c.integer("num_train_timesteps", 1000);
        double from = c.number("beta_start", 0.0001);
        double to = c.number("beta_end", 0.02);
        String kind = c.text("beta_schedule", "linear");
        double[] abar = new double[n];
        double product = 1;
        for (int i = 0; i < n; i++) {
            double f = n == 1 ? 0 : (double) i / (n - 1);
            double beta = switch (kind) {
                case "linear" -> from + f * (to - from);
                case "scaled_linear" -> Math.pow(Math.sqrt(from) + f * (Math.sqrt(to) - Math.sqrt(from)), 2);
                default -> throw new IllegalArgumentException(c.where() + ": 'beta_schedule' expected linear or scaled_linear, got " + kind);
            };
            product *= 1 - beta;
            abar[i] = product;
        }
        return abar;
    }

    public Prediction prediction() {
        return prediction;
    }

    /** Training timesteps, as in 1000. */
    public int length() {
        return abar.length;
    }

    /** The noise level of a training timestep; below the first, the level at which sampling ends. */
    public NoiseLevel level(int timestep) {
        return new NoiseLevel(timestep, timestep < 0 ? finalAbar : abar[timestep]);
    }

    /**
     * The levels that a sampler visits, noisiest first, spaced as diffusers' DDIMScheduler does.
     *
     * @throws IllegalArgumentException unless 1 to {@link #length} steps are asked for
     */
    public List<NoiseLevel> levels(int steps) {
        if (steps < 1 || steps > abar.length) {
            throw new IllegalArgumentException("steps: expected 1 to " + abar.length + ", got " + steps);
        }
        List<NoiseLevel> levels = new ArrayList<>();
        for (int i = steps - 1; i >= 0; i--) {
            int t = switch (spacing) {
                case "leading" -> i * (abar.length / steps) + stepsOffset;
                case "linspace" -> (int) Math.rint(steps == 1 ? 0 : (double) i * (abar.length - 1) / (steps - 1));
                default -> (int) Math.rint(abar.length - (steps - 1 - i) * ((double) abar.length / steps)) - 1;
            };
            levels.add(level(Math.min(t, abar.length - 1)));
        }
        return levels;
    }

    /** The level after one of {@link #levels}: a stride of the training timesteps nearer to the picture. */
    public NoiseLevel after(NoiseLevel level, int steps) {
        return level((int) level.timestep() - abar.length / steps);
    }
}
