// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.tweedie.image.Image;
import org.tweedie.program.Philox;

class MetricsTest {
    private static Image flat(int side, float value) {
        float[] d = new float[side * side * 3];
        Arrays.fill(d, value);
        return new Image(side, side, d);
    }

    private static Image noise(int w, int h, long seed) {
        float[] d = new float[w * h * 3];
        new Philox(seed, Philox.Stream.NOISE).uniforms(0, d);
        return new Image(w, h, d);
    }

    /** A constant difference of 0.2 has a mean square of 0.04, a hundredth of the peak's 4: 20 dB. */
    @Test
    void psnrOfAConstantDifference() {
        assertEquals(20, Psnr.of(flat(5, 0.1f), flat(5, 0.3f)), 1e-6);
        assertEquals(Double.POSITIVE_INFINITY, Psnr.of(flat(5, 0.1f), flat(5, 0.1f)));
        assertEquals(0, Psnr.of(flat(1, -1), flat(1, 1)), 1e-12);
    }

    /** Without variance SSIM is (2 a b + C1) / (a^2 + b^2 + C1) with C1 = 0.0004 and black at 0. */
    @Test
    void ssimOfConstantPictures() {
        assertEquals((2 * 1.1 * 1.3 + 0.0004) / (1.21 + 1.69 + 0.0004), Ssim.of(flat(12, 0.1f), flat(12, 0.3f)), 1e-6);
        assertEquals(1, Ssim.of(noise(20, 13, 1), noise(20, 13, 1)), 1e-12);
    }

    /** There is one window, so the sums are written out over its 121 pixels. */
    @Test
    void ssimOfOneWindow() {
        Image a = noise(11, 11, 1);
        Image b = noise(11, 11, 2);
        double total = 0;
        for (int c = 0; c < 3; c++) {
            double[] m = new double[6];
            for (int y = 0; y < 11; y++) {
                for (int x = 0; x < 11; x++) {
                    double w = Math.exp(-((x - 5) * (x - 5) + (y - 5) * (y - 5)) / 4.5);
                    double p = a.get(x, y, c) + 1.0;
                    double q = b.get(x, y, c) + 1.0;
                    double[] terms = {1, p, q, p * p, q * q, p * q};
                    for (int k = 0; k < 6; k++) {
                        m[k] += w * terms[k];
                    }
                }
            }
            double p = m[1] / m[0];
            double q = m[2] / m[0];
            total += (2 * p * q + 0.0004) * (2 * (m[5] / m[0] - p * q) + 0.0036)
                    / ((p * p + q * q + 0.0004) * (m[3] / m[0] - p * p + m[4] / m[0] - q * q + 0.0036)) / 3;
        }
        assertEquals(total, Ssim.of(a, b), 1e-12);
        assertTrue(total < 0.5, "noise does not resemble other noise");
    }

    @Test
    void refusesWhatCannotBeCompared() {
        var e = assertThrows(IllegalArgumentException.class, () -> Psnr.of(flat(5, 0), flat(6, 0)));
        assertEquals("psnr: expected two pictures of one size, got 5x5 and 6x6; crop or scale one", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> Ssim.of(noise(30, 10, 1), noise(30, 10, 2)));
        assertEquals("ssim: expected pictures of at least 11x11 (the window), got 30x10", e.getMessage());
    }
}
