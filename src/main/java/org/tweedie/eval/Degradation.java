// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.measure.NoiseModel;

/**
 * A task and the noise of its measurements.
 *
 * @param task the task, for example {@code sr:4}
 * @param noise {@code gaussian:SIGMA} or {@code salt-pepper:FRACTION}
 */
public record Degradation(String task, String noise) {
    private static final String GAUSSIAN = "gaussian";

    /**
     * Combines each task with each sigma, in the order of the tasks. A task {@code TASK@NOISE} has its own noise instead.
     *
     * @param sigmas standard deviations of Gaussian noise on the scale of [-1,1]
     * @throws IllegalArgumentException when a noise is unknown or not positive
     */
    public static List<Degradation> of(List<String> tasks, List<Double> sigmas) {
        List<Degradation> all = new ArrayList<>();
        for (String task : tasks) {
            int at = task.endsWith(".png") ? -1 : task.lastIndexOf('@'); // the name of a mask's file may contain an @
            if (at >= 0) {
                all.add(new Degradation(task.substring(0, at), normal(task.substring(at + 1))));
            } else {
                sigmas.forEach(s -> all.add(new Degradation(task, normal(GAUSSIAN + ":" + s))));
            }
        }
        return all;
    }

    /** Writes a noise in the one form that keys have, so that {@code gaussian:0.10} and {@code gaussian:0.1} are equal. */
    private static String normal(String noise) {
        return model(noise) instanceof NoiseModel.Gaussian g ? GAUSSIAN + ":" + text(g.sigma()) : model(noise).spec();
    }

    /**
     * Returns the noise that a text names.
     *
     * @throws IllegalArgumentException unless it is {@code gaussian:SIGMA} with a positive sigma, or
     *         {@code salt-pepper:FRACTION}
     */
    static NoiseModel model(String noise) {
        if (noise.startsWith("salt-pepper:")) {
            return NoiseModel.parse(noise, 0);
        }
        double sigma = noise.startsWith(GAUSSIAN + ":") ? number(noise.substring(GAUSSIAN.length() + 1)) : Double.NaN;
        if (!(sigma > 0 && sigma < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("noise '" + noise + "': expected gaussian:SIGMA with a positive sigma, or "
                    + "salt-pepper:FRACTION, as in denoise@salt-pepper:0.02");
        }
        return new NoiseModel.Gaussian(sigma);
    }

    private static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }

    private static String text(double x) {
        return x == Math.rint(x) && x < 1e9 ? Long.toString((long) x) : Double.toString(x);
    }
}
