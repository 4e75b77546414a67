// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.image.Image;

/**
 * The structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) with windows of 11x11 under a Gaussian of 1.5 pixels, K1 =
 * 0.01, K2 = 0.03, range 2 (the width of [-1,1]), and covariances that are not corrected for the sample size. It is the mean over
 * channels and over the windows inside of the picture.
 *
 * <p>The luminance compares means, and is not invariant to a shift. As in papers, whose pictures are on [0,255], black is 0
 * here: 1 is added to the pictures before they are compared.
 */
public final class Ssim {
    private Ssim() {}

    /**
     * Returns 1 for equal pictures, less for others.
     *
     * @throws IllegalArgumentException when the sizes differ or a side is below 11 pixels
     */
    public static double of(Image a, Image b) {
        Psnr.requireSameSize("ssim", a, b);
        int side = Similarity.SIDE;
        if (a.width() < side || a.height() < side) {
            throw new IllegalArgumentException("ssim: expected pictures of at least " + side + "x" + side + " (the window), got "
                    + a.width() + "x" + a.height());
        }
        double sum = 0;
        for (int channel = 0; channel < 3; channel++) {
            sum += Similarity.of(Similarity.plane(a, channel), Similarity.plane(b, channel), a.width(), a.height()).ssim();
        }
        return sum / 3;
    }
}
