// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.tweedie.diffusion.NoiseSchedule.Betas;
import org.tweedie.diffusion.NoiseSchedule.Prediction;
import org.tweedie.diffusion.NoiseSchedule.Spacing;
import org.tweedie.weights.Json;

/** Tests a schedule from numbers and from a file, and the levels between its training timesteps. */
class NoiseScheduleTest {
    private static final NoiseSchedule SCHEDULE = new NoiseSchedule(Betas.SCALED_LINEAR, 0.00085, 0.012, 1000, Prediction.V,
            Optional.of(Spacing.TRAILING), 1, false);

    private static JsonObject config() {
        JsonObject o = new JsonObject();
        o.addProperty("beta_start", 0.00085);
        o.addProperty("beta_end", 0.012);
        o.addProperty("beta_schedule", "scaled_linear");
        o.addProperty("prediction_type", "v_prediction");
        o.addProperty("timestep_spacing", "trailing");
        o.addProperty("steps_offset", 1);
        o.addProperty("set_alpha_to_one", false);
        return o;
    }

    @Test
    void fileAndNumbersAreOneSchedule() {
        NoiseSchedule read = new NoiseSchedule(new Json("test", config()));
        assertEquals(SCHEDULE.length(), read.length());
        for (int t = -1; t < read.length(); t++) {
            assertEquals(SCHEDULE.level(t), read.level(t));
        }
        assertEquals(Prediction.V, read.prediction());
        assertEquals(SCHEDULE.levels(10), read.levels(10));
        assertEquals(1 - 0.00085, SCHEDULE.level(0).abar(), 1e-15);
        assertEquals(SCHEDULE.level(0).abar(), SCHEDULE.level(-1).abar());
    }

    @Test
    void aFileThatDoesNotSayTheSpacingLeavesItToTheSampler() {
        JsonObject o = config();
        o.remove("timestep_spacing");
        NoiseSchedule read = new NoiseSchedule(new Json("test", o));
        assertEquals(Spacing.LINSPACE, read.spacing(Spacing.LINSPACE));
        assertEquals(Spacing.TRAILING, SCHEDULE.spacing(Spacing.LINSPACE));
        assertEquals(901, read.levels(10).getFirst().timestep(), "DDIM's own is leading");
    }

    @Test
    void spacings() {
        assertArrayEquals(new double[] {751, 501, 251, 1}, SCHEDULE.timesteps(Spacing.LEADING, 4));
        assertArrayEquals(new double[] {999, 749.25, 499.5, 249.75, 0}, SCHEDULE.timesteps(Spacing.LINSPACE, 5));
        assertArrayEquals(new double[] {999, 666, 332}, SCHEDULE.timesteps(Spacing.TRAILING, 3));
        assertThrows(IllegalArgumentException.class, () -> SCHEDULE.timesteps(Spacing.LEADING, 0));
        assertThrows(IllegalArgumentException.class, () -> SCHEDULE.timesteps(Spacing.LEADING, 1001));
    }

    @Test
    void betweenTimesteps() {
        assertEquals(SCHEDULE.level(17), SCHEDULE.between(17));
        double low = SCHEDULE.level(17).ratio();
        double high = SCHEDULE.level(18).ratio();
        assertEquals(low + 0.25 * (high - low), SCHEDULE.between(17.25).ratio(), 1e-14);
        assertEquals(SCHEDULE.level(999).abar(), SCHEDULE.between(1001).abar());

        for (int t : new int[] {0, 1, 500, 998, 999}) {
            assertEquals(t, SCHEDULE.timestep(SCHEDULE.level(t).ratio()), 1e-9);
        }
        assertEquals(17.5, SCHEDULE.timestep(Math.sqrt(low * high)), 1e-9);
        assertEquals(0, SCHEDULE.timestep(1e-9));
        assertEquals(999, SCHEDULE.timestep(1e9));
    }

    @Test
    void refusesWhatIsNoSchedule() {
        JsonObject o = config();
        o.addProperty("num_train_timesteps", -3);
        String message = assertThrows(IllegalArgumentException.class, () -> new NoiseSchedule(new Json("test", o))).getMessage();
        assertTrue(message.contains("got -3 timesteps"), message);
        o.addProperty("timestep_spacing", "even");
        message = assertThrows(IllegalArgumentException.class, () -> new NoiseSchedule(new Json("test", o))).getMessage();
        assertEquals("test: 'timestep_spacing' expected leading, linspace or trailing, got even", message);
        o.addProperty("rescale_betas_zero_snr", true);
        message = assertThrows(IllegalArgumentException.class, () -> new NoiseSchedule(new Json("test", o))).getMessage();
        assertTrue(message.contains("rescale_betas_zero_snr"), message);
    }

    @Test
    void levelsInMessages() {
        assertEquals("t=901", new NoiseLevel(901, 0.1).toString());
        assertEquals("t=17.25", new NoiseLevel(17.25, 0.1).toString());
    }
}
