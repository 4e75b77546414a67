// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tweedie.weights.Json;

/**
 * The variance-preserving noise schedule of a checkpoint and the timesteps that a sampler visits. abar(t) is the fraction of
 * variance that is signal (alphas_cumprod): abar(t) = (1 - beta(0)) ... (1 - beta(t)).
 */
public final class NoiseSchedule {
    /** The quantity that the network predicts: the noise eps, or v = sqrt(abar) eps - sqrt(1 - abar) z0. */
    public enum Prediction { EPSILON, V }

    /** The interpolation of beta(t) between its start and its end: beta(t) is linear, or its square root is. */
    public enum Betas { LINEAR, SCALED_LINEAR }

    /** The selection of a sampler's timesteps from the training timesteps, with the names of table 2 of arXiv 2305.08891. */
    public enum Spacing { LEADING, LINSPACE, TRAILING }

    private final double[] abar;
    private final double finalAbar;
    private final int stepsOffset;
    private final Optional<Spacing> spacing;
    private final Prediction prediction;

    /**
     * Makes a schedule from numbers.
     *
     * @param start beta of timestep 0
     * @param end beta of the last timestep
     * @param length the number of training timesteps, for example 1000
     * @param spacing the spacing that the checkpoint gives; if it gives none, each sampler uses its own
     * @param stepsOffset the number that leading spacing adds to each timestep
     * @param alphaToOne true if the level below timestep 0 has no noise; otherwise that level is timestep 0's
     * @throws IllegalArgumentException unless there are two timesteps or more and betas are between 0 and 1
     */
    public NoiseSchedule(Betas kind, double start, double end, int length, Prediction prediction, Optional<Spacing> spacing,
                         int stepsOffset, boolean alphaToOne) {
        if (length < 2 || !(start > 0 && start < 1 && end > 0 && end < 1)) {
            throw new IllegalArgumentException("noise schedule: expected 2 timesteps or more and betas between 0 and 1, got "
                    + length + " timesteps and betas from " + start + " to " + end
                    + "; the checkpoint's scheduler_config.json may be damaged");
        }
        abar = new double[length];
        double product = 1;
        for (int t = 0; t < length; t++) {
            double f = (double) t / (length - 1);
            double beta = switch (kind) {
                case LINEAR -> start + f * (end - start);
                case SCALED_LINEAR -> Math.pow(Math.sqrt(start) + f * (Math.sqrt(end) - Math.sqrt(start)), 2);
            };
            product *= 1 - beta;
            abar[t] = product;
        }
        finalAbar = alphaToOne ? 1 : abar[0];
        this.stepsOffset = stepsOffset;
        this.spacing = spacing;
        this.prediction = prediction;
    }

    /** Reads a scheduler_config.json. @throws IllegalArgumentException when the schedule is not supported */
    public NoiseSchedule(Json c) {
        c.only("trained_betas", "null");
        c.only("rescale_betas_zero_snr", false);
        c.only("thresholding", false);
        this(betas(c), c.number("beta_start", 0.0001), c.number("beta_end", 0.02), c.integer("num_train_timesteps", 1000),
                prediction(c), spacing(c), c.integer("steps_offset", 0), c.flag("set_alpha_to_one", true));
    }

    private static Betas betas(Json c) {
        String kind = c.text("beta_schedule", "linear");
        return switch (kind) {
            case "linear" -> Betas.LINEAR;
            case "scaled_linear" -> Betas.SCALED_LINEAR;
            default -> throw c.bad("beta_schedule", "expected linear or scaled_linear, got " + kind);
        };
    }

    private static Prediction prediction(Json c) {
        String type = c.text("prediction_type", "epsilon");
        return switch (type) {
            case "epsilon" -> Prediction.EPSILON;
            case "v_prediction" -> Prediction.V;
            default -> throw c.bad("prediction_type", "expected epsilon or v_prediction, got " + type);
        };
    }

    private static Optional<Spacing> spacing(Json c) {
        if (!c.has("timestep_spacing")) {
            return Optional.empty();
        }
        String name = c.text("timestep_spacing");
        return switch (name) {
            case "leading", "linspace", "trailing" -> Optional.of(Spacing.valueOf(name.toUpperCase(Locale.ROOT)));
            default -> throw c.bad("timestep_spacing", "expected leading, linspace or trailing, got " + name);
        };
    }

    /** The quantity that the network predicts. */
    public Prediction prediction() {
        return prediction;
    }

    /** The number of training timesteps, for example 1000. */
    public int length() {
        return abar.length;
    }

    /** Returns the noise level of a training timestep, or the level at which sampling ends for a negative timestep. */
    public NoiseLevel level(int timestep) {
        return new NoiseLevel(timestep, timestep < 0 ? finalAbar : abar[timestep]);
    }

    /**
     * Returns the noise level at or between training timesteps, by linear interpolation of the ratio. Beyond the ends it is
     * the level of the end.
     */
    public NoiseLevel between(double timestep) {
        double t = Math.clamp(timestep, 0, abar.length - 1);
        int below = (int) t;
        if (t == below) {
            return new NoiseLevel(timestep, abar[below]);
        }
        double low = level(below).ratio();
        return NoiseLevel.ofRatio(timestep, low + (t - below) * (level(below + 1).ratio() - low));
    }

    /**
     * Returns the timestep at which the noise has a ratio to the signal, by linear interpolation of log(ratio) between
     * training timesteps.
     */
    public double timestep(double ratio) {
        int below = 0;
        while (below < abar.length - 2 && level(below + 1).ratio() <= ratio) {
            below++;
        }
        double low = Math.log(level(below).ratio());
        double high = Math.log(level(below + 1).ratio());
        return below + Math.clamp((Math.log(ratio) - low) / (high - low), 0, 1);
    }

    /**
     * Returns the spacing of timesteps that the checkpoint gives, or a sampler's own spacing if the checkpoint gives none.
     */
    public Spacing spacing(Spacing own) {
        return spacing.orElse(own);
    }

    /**
     * Returns n timesteps over the whole schedule, noisiest first. Timesteps of linspace are not rounded.
     *
     * @throws IllegalArgumentException unless n is from 1 to {@link #length}
     */
    public double[] timesteps(Spacing how, int n) {
        int length = abar.length;
        if (n < 1 || n > length) {
            throw new IllegalArgumentException("steps: expected 1 to " + length + ", got " + n);
        }
        double[] timesteps = new double[n];
        for (int i = 0; i < n; i++) {
            int left = n - 1 - i;
            timesteps[i] = switch (how) {
                case LEADING -> Math.min(left * (length / n) + stepsOffset, length - 1);
                case LINSPACE -> n == 1 ? 0 : (double) left * (length - 1) / (n - 1);
                case TRAILING -> Math.rint(length - i * ((double) length / n)) - 1;
            };
        }
        return timesteps;
    }

    /**
     * Returns the levels that a sampler visits, noisiest first, spaced like those of diffusers' DDIMScheduler.
     *
     * @throws IllegalArgumentException unless the number of steps is from 1 to {@link #length}
     */
    public List<NoiseLevel> levels(int steps) {
        List<NoiseLevel> levels = new ArrayList<>();
        for (double t : timesteps(spacing(Spacing.LEADING), steps)) {
            levels.add(level((int) Math.rint(t)));
        }
        return levels;
    }
}
