// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tweedie.image.Image;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests PSNR over the hole of a mask, and the spread. */
class HoleTest {
    /** Two pixels beside each other, whose differences are 0.2 and 1 in each channel. */
    private static final Image A = new Image(2, 1, new float[] {0, 0, 0, 0, 0, 0});
    private static final Image B = new Image(2, 1, new float[] {0.2f, -0.2f, 0.2f, 1, 1, -1});

    private static Tensor mask(float... kept) {
        return Tensor.of(Shape.of(1, 1, kept.length, 1), kept);
    }

    /** The mean squares are 0.04 (20 dB below the peak's 4), 1, and 0.52 over both. */
    @Test
    void psnrCountsPixelsOfTheHoleAlone() {
        assertEquals(20, Psnr.of(A, B, mask(0, 1)), 1e-5);
        assertEquals(10 * Math.log10(4), Psnr.of(A, B, mask(1, 0)), 1e-12);
        assertEquals(10 * Math.log10(4 / 0.52), Psnr.of(A, B, mask(0, 0)), 1e-6);
        assertEquals(Psnr.of(A, B), Psnr.of(A, B, mask(0, 0)), 1e-12);
        assertEquals(Double.POSITIVE_INFINITY, Psnr.of(A, A, mask(1, 0)));
    }

    @Test
    void psnrRefusesMasksThatDoNotFit() {
        var e = assertThrows(IllegalArgumentException.class, () -> Psnr.of(A, B, mask(1, 1)));
        assertEquals("psnr: the mask has no hole, so there is nothing to compare; expected a pixel of value 0; compare the whole "
                + "pictures instead", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> Psnr.of(A, B, mask(0, 0.5f)));
        assertEquals("psnr: expected a mask of zeros (hole) and ones (kept), got 0.5", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> Psnr.of(A, B, mask(0, 1, 1)));
        assertEquals("psnr: expected a mask [1,1,2,1] for pictures of 2x1, got [1,1,3,1]", e.getMessage());
    }

    @Test
    void spreadIsTheRootOfTheMeanSquare() {
        assertEquals(Math.sqrt(0.52), Spread.of(A, B), 1e-7);
        assertEquals(Spread.of(A, B), Spread.of(B, A));
        assertEquals(0, Spread.of(B, B));
        var e = assertThrows(IllegalArgumentException.class, () -> Spread.of(A, new Image(1, 1, new float[3])));
        assertEquals("spread: expected two pictures of one size, got 2x1 and 1x1; crop or scale one", e.getMessage());
    }
}
