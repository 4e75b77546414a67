// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.image.Image;

/** The peak signal-to-noise ratio. */
public final class Psnr {
    private Psnr() {}

    /**
     * Returns 10 log10(4 / mean squared error) in dB: the peak is 2, the width of [-1,1]. The result is infinite for equal
     * pictures.
     *
     * @throws IllegalArgumentException when the sizes differ
     */
    public static double of(Image a, Image b) {
        requireSameSize("psnr", a, b);
        double sum = 0;
        for (int i = 0; i < a.data().length; i++) {
            double d = (double) a.data()[i] - b.data()[i];
            sum += d * d;
        }
        return 10 * Math.log10(4 / (sum / a.data().length));
    }

    static void requireSameSize(String metric, Image a, Image b) {
        if (a.width() != b.width() || a.height() != b.height()) {
            throw new IllegalArgumentException(metric + ": expected two pictures of one size, got " + a.width() + "x" + a.height()
                    + " and " + b.width() + "x" + b.height() + "; crop or scale one");
        }
    }
}
