// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.image.Image;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** The peak signal-to-noise ratio, of whole pictures or of the hole that inpainting fills. */
public final class Psnr {
    private Psnr() {}

    /**
     * Returns 10 log10(4 / mean squared error) in dB: the peak is 2, the width of [-1,1]. The result is infinite for equal
     * pictures.
     *
     * @throws IllegalArgumentException when the sizes differ
     */
    public static double of(Image a, Image b) {
        return decibels(meanSquare("psnr", a, b));
    }

    /**
     * Returns the ratio over the pixels of the hole alone, in dB. The pixels that the mask keeps do not count.
     *
     * @param mask [1,H,W,1], 1 where a pixel is kept, 0 in the hole
     * @throws IllegalArgumentException when the sizes differ, the mask has other values than 0 and 1, or there is no hole
     */
    public static double of(Image a, Image b, Tensor mask) {
        requireSameSize("psnr", a, b);
        Shape expected = Shape.of(1, a.height(), a.width(), 1);
        if (!mask.shape().equals(expected)) {
            throw new IllegalArgumentException("psnr: expected a mask " + expected + " for pictures of " + a.width() + "x"
                    + a.height() + ", got " + mask.shape());
        }
        double sum = 0;
        int numbers = 0;
        for (int i = 0; i < mask.size(); i++) {
            double kept = mask.get(i);
            if (kept != 0 && kept != 1) {
                throw new IllegalArgumentException("psnr: expected a mask of zeros (hole) and ones (kept), got " + kept);
            }
            for (int c = 0; c < 3 && kept == 0; c++) {
                sum += square(a, b, 3 * i + c);
                numbers++;
            }
        }
        if (numbers == 0) {
            throw new IllegalArgumentException("psnr: the mask has no hole, so there is nothing to compare; expected a pixel of "
                    + "value 0; compare the whole pictures instead");
        }
        return decibels(sum / numbers);
    }

    /** The mean over all numbers of the squared difference. */
    static double meanSquare(String metric, Image a, Image b) {
        requireSameSize(metric, a, b);
        double sum = 0;
        for (int i = 0; i < a.data().length; i++) {
            sum += square(a, b, i);
        }
        return sum / a.data().length;
    }

    private static double square(Image a, Image b, int i) {
        double d = (double) a.data()[i] - b.data()[i];
        return d * d;
    }

    private static double decibels(double meanSquare) {
        return 10 * Math.log10(4 / meanSquare);
    }

    static void requireSameSize(String metric, Image a, Image b) {
        if (a.width() != b.width() || a.height() != b.height()) {
            throw new IllegalArgumentException(metric + ": expected two pictures of one size, got " + a.width() + "x" + a.height()
                    + " and " + b.width() + "x" + b.height() + "; crop or scale one");
        }
    }
}
