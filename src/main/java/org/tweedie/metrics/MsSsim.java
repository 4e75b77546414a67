// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.image.Image;

/**
 * The multi-scale structural similarity (Wang, Simoncelli, Bovik 2003) with the window and constants of {@link Ssim}. Each scale
 * halves the picture before it. The result is the mean over channels of
 * <pre>
 *   ssim_M^w_M  prod over j below M of contrast_j^w_j
 * </pre>
 * where M is the coarsest scale, and the weights w are the published 0.0448, 0.2856, 0.3001, 0.2363, 0.1333 (their sum is
 * 1.0001).
 *
 * <p>Three conventions are those of the package pytorch-msssim. A picture is halved by means over 2x2 pixels, and a side of odd
 * length gets a black line at both ends before. The mean over a scale's windows is taken before the power, and a mean below 0
 * counts as 0. The powers are multiplied per channel, before the mean over channels. One thing is stricter here: the sides have
 * at least 176 pixels, so that the coarsest scale holds a whole window without such lines.
 *
 * <p>A smaller picture can be compared at fewer scales if the caller says how many. The result is then another metric, with
 * another {@link #name}: the first weights divided by their sum.
 *
 * <p>As in {@link Ssim}, black is 0. The luminance counts at the coarsest scale alone.
 */
public final class MsSsim {
    /** The number of scales of the published metric. */
    public static final int SCALES = 5;

    private static final double[] WEIGHTS = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

    private MsSsim() {}

    /** Returns the metric's name in tables: {@code ms_ssim} for five scales, {@code ms_ssim3} for three. */
    public static String name(int scales) {
        requireScales(scales);
        return scales == SCALES ? "ms_ssim" : "ms_ssim" + scales;
    }

    /** Returns the smallest side in pixels that a picture may have: 11 at the coarsest scale. */
    public static int smallestSide(int scales) {
        requireScales(scales);
        return Similarity.SIDE << (scales - 1);
    }

    /**
     * Returns the published metric, of five scales: 1 for equal pictures, less for others, never below 0.
     *
     * @throws IllegalArgumentException when the sizes differ or a side is below 176 pixels
     */
    public static double of(Image a, Image b) {
        return of(a, b, SCALES);
    }

    /**
     * Returns the metric of the first scales only, with their weights divided by their sum.
     *
     * @param scales from 1 (where the result is SSIM, with channels below 0 taken as 0) to 5
     * @throws IllegalArgumentException when the sizes differ, a side is below {@link #smallestSide}, or there are no such scales
     */
    public static double of(Image a, Image b, int scales) {
        String name = name(scales);
        Psnr.requireSameSize(name, a, b);
        int side = smallestSide(scales);
        if (Math.min(a.width(), a.height()) < side) {
            throw new IllegalArgumentException(name + ": expected pictures of at least " + side + "x" + side + " for " + scales
                    + " scales, got " + a.width() + "x" + a.height() + "; use larger pictures, or ask for fewer scales");
        }
        double sum = 0;
        for (int channel = 0; channel < 3; channel++) {
            sum += channel(Similarity.plane(a, channel), Similarity.plane(b, channel), a.width(), a.height(), scales);
        }
        return sum / 3;
    }

    private static double channel(double[] x, double[] y, int w, int h, int scales) {
        double weights = 0;
        for (int j = 0; j < scales; j++) {
            weights += WEIGHTS[j];
        }
        double share = scales == SCALES ? 1 : 1 / weights;
        double product = 1;
        for (int j = 0; j < scales; j++) {
            Similarity s = Similarity.of(x, y, w, h);
            double mean = j == scales - 1 ? s.ssim() : s.contrast();
            product *= Math.pow(Math.max(mean, 0), WEIGHTS[j] * share);
            x = halved(x, w, h);
            y = halved(y, w, h);
            w = (w + 1) / 2;
            h = (h + 1) / 2;
        }
        return product;
    }

    /** Computes means over 2x2 pixels; a side of odd length begins and ends with half a block of zeros. */
    private static double[] halved(double[] p, int w, int h) {
        int wo = (w + 1) / 2;
        double[] out = new double[wo * ((h + 1) / 2)];
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                out[(y + h % 2) / 2 * wo + (x + w % 2) / 2] += p[y * w + x] / 4;
            }
        }
        return out;
    }

    private static void requireScales(int scales) {
        if (scales < 1 || scales > SCALES) {
            throw new IllegalArgumentException("ms_ssim: expected 1 to " + SCALES + " scales, got " + scales);
        }
    }
}
