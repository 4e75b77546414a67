// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.util.Map;

/**
 * One restoration of an evaluation: what was restored, and what came out. It is written as one line of JSON.
 *
 * @param key what was restored, and how; no two cells of an evaluation have the same key
 * @param metrics the qualities by name, for example {@code psnr}, {@code ssim}, {@code residual}; a metric that does not
 *         apply to the task is absent
 * @param evaluations the counts by name, for example {@code nfe}, {@code unet_forwards}, {@code decode_vjps}
 * @param seconds the time that the solver took, without compilation; it is the only part that differs from run to run
 */
public record Cell(Key key, Map<String, Double> metrics, Map<String, Long> evaluations, double seconds) {
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().serializeSpecialFloatingPointValues().create();

    /**
     * A key says what was restored, and how.
     *
     * @param picture the name of the picture's file
     * @param task the degradation, for example {@code sr:4}
     * @param noise {@code gaussian:SIGMA} or {@code salt-pepper:FRACTION}
     * @param solver the solver with the options that the user gave, or {@code measurement}, {@code pinv} or
     *         {@code autoencoder}, which need no solver
     * @param seed the seed of mask, kernel, noise and everything random in the solver
     */
    public record Key(String picture, String task, String noise, String solver, long seed) {
        /** Returns the key as one line of JSON, without the line's end. */
        String line() {
            return GSON.toJson(this);
        }

        /** Reads a line of JSON that {@link #line} wrote. */
        static Key of(String line) {
            return GSON.fromJson(line, Key.class);
        }

        /** Returns the key as a phrase for messages. */
        public String text() {
            return picture + ", " + task + ", " + noise + ", " + solver + ", seed " + seed;
        }
    }

    /** Returns the cell as one line of JSON, without the line's end. */
    public String line() {
        return GSON.toJson(this);
    }

    /** Reads a line of JSON. @throws IllegalArgumentException when it is not a complete cell */
    public static Cell of(String line) {
        try {
            Cell c = GSON.fromJson(line, Cell.class);
            if (c == null || c.key == null || c.metrics == null || c.evaluations == null || c.key.picture == null
                    || c.key.task == null || c.key.noise == null || c.key.solver == null) {
                throw new IllegalArgumentException("expected a cell of an evaluation, got '" + line + "'");
            }
            return c;
        } catch (JsonParseException e) {
            throw new IllegalArgumentException("expected a cell of an evaluation as JSON, got '" + line + "'", e);
        }
    }
}
