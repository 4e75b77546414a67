// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.tweedie.image.Image;

class MsSsimTest {
    private static Image flat(int w, int h, float value) {
        float[] d = new float[w * h * 3];
        Arrays.fill(d, value);
        return new Image(w, h, d);
    }

    /** The golden pictures have one odd and one even side, so both rules of halving count. */
    @Test
    void agreesWithPytorchMsssim() throws IOException {
        Image a = Perceptual.picture("first");
        Image b = Perceptual.picture("second");
        assertEquals(Perceptual.value("ms_ssim")[0], MsSsim.of(a, b), 1e-9);
        assertEquals(Perceptual.value("ms_ssim3")[0], MsSsim.of(a.crop(0, 0, 59, 45), b.crop(0, 0, 59, 45), 3), 1e-9);
    }

    /** Constant pictures have contrast 1 at each scale, and luminance at the coarsest to the power of its weight. */
    @Test
    void constantPictures() {
        double luminance = (2 * 1.1 * 1.3 + 0.0004) / (1.21 + 1.69 + 0.0004);
        assertEquals(Math.pow(luminance, 0.1333), MsSsim.of(flat(176, 192, 0.1f), flat(176, 192, 0.3f)), 1e-6);
        assertEquals(Math.pow(luminance, 0.2856 / (0.0448 + 0.2856)), MsSsim.of(flat(22, 24, 0.1f), flat(22, 24, 0.3f), 2), 1e-6);
    }

    @Test
    void oneScaleIsSsim() throws IOException {
        Image a = Perceptual.picture("first").crop(3, 4, 30, 41);
        Image b = Perceptual.picture("second").crop(3, 4, 30, 41);
        assertEquals(Ssim.of(a, b), MsSsim.of(a, b, 1), 1e-12);
        assertTrue(Ssim.of(a, b) < 0.99, "the pictures differ");
        assertEquals(1, MsSsim.of(a, a, 2), 1e-12);
    }

    /** Against its negative a picture has contrast below 0, which counts as 0. */
    @Test
    void whatIsBelowZeroCountsAsZero() throws IOException {
        Image a = Perceptual.picture("first").crop(0, 0, 50, 50);
        float[] negative = a.data().clone();
        for (int i = 0; i < negative.length; i++) {
            negative[i] = -negative[i];
        }
        assertEquals(0, MsSsim.of(a, new Image(50, 50, negative), 3));
    }

    @Test
    void fewerScalesHaveAnotherName() {
        assertEquals("ms_ssim", MsSsim.name(5));
        assertEquals("ms_ssim3", MsSsim.name(3));
        assertEquals(176, MsSsim.smallestSide(5));
        assertEquals(44, MsSsim.smallestSide(3));
    }

    @Test
    void refusesWhatItCannotCompare() {
        var e = assertThrows(IllegalArgumentException.class, () -> MsSsim.of(flat(128, 200, 0), flat(128, 200, 0)));
        assertEquals("ms_ssim: expected pictures of at least 176x176 for 5 scales, got 128x200; use larger pictures, or ask for "
                + "fewer scales", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> MsSsim.of(flat(44, 43, 0), flat(44, 43, 0), 3));
        assertEquals("ms_ssim3: expected pictures of at least 44x44 for 3 scales, got 44x43; use larger pictures, or ask for "
                + "fewer scales", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> MsSsim.of(flat(44, 44, 0), flat(44, 44, 0), 6));
        assertEquals("ms_ssim: expected 1 to 5 scales, got 6", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> MsSsim.of(flat(200, 200, 0), flat(201, 200, 0)));
        assertEquals("ms_ssim: expected two pictures of one size, got 200x200 and 201x200; crop or scale one", e.getMessage());
    }
}
