// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class MetricTest {
    @Test
    void namesSayWhatIsBetter() {
        assertEquals("PSNR before pixel consistency in dB", Metric.of("decoded_psnr").label());
        assertEquals("PSNR in the holes in dB", Metric.of("hole_psnr").label());
        assertEquals(Metric.Better.HIGHER, Metric.of("decoded_ssim").better());
        assertEquals(Metric.Better.LOWER, Metric.of("lpips_alex").better());
        assertEquals(Metric.Better.NEITHER, Metric.of("residual").better());
        assertEquals(Metric.Better.NEITHER, Metric.of("sharpness").better());
        assertEquals("sharpness", Metric.of("sharpness").label());
    }

    @Test
    void aGainIsPositiveWhereTheFirstIsBetter() {
        assertEquals(2, Metric.of("psnr").gain(5, 3));
        assertEquals(-2, Metric.of("lpips_alex").gain(5, 3));
    }
}
