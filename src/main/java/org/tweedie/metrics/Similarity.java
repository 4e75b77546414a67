// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.image.Image;

/**
 * This record holds what SSIM and MS-SSIM compute of one channel at one scale: means over the windows inside of the picture.
 * The windows have
 * 11x11 pixels under a Gaussian of 1.5 pixels; K1 = 0.01, K2 = 0.03, the range is 2, and the covariances are not corrected for
 * the sample size.
 *
 * @param ssim the mean of luminance times contrast and structure
 * @param contrast the mean of contrast and structure alone: (2 cov + C2) / (vx + vy + C2)
 */
record Similarity(double ssim, double contrast) {
    /** The side of a window in pixels. */
    static final int SIDE = 11;

    private static final int RADIUS = SIDE / 2;
    private static final double[] WINDOW = window(1.5);
    private static final double C1 = Math.pow(0.01 * 2, 2);
    private static final double C2 = Math.pow(0.03 * 2, 2);

    /** Compares two channels of w x h pixels, in rows; both sides are at least {@link #SIDE}. */
    static Similarity of(double[] x, double[] y, int w, int h) {
        double[] mx = smooth(x, w, h);
        double[] my = smooth(y, w, h);
        double[] xx = smooth(product(x, x), w, h);
        double[] yy = smooth(product(y, y), w, h);
        double[] xy = smooth(product(x, y), w, h);
        double ssim = 0;
        double contrasts = 0;
        for (int i = 0; i < mx.length; i++) {
            double vx = xx[i] - mx[i] * mx[i];
            double vy = yy[i] - my[i] * my[i];
            double cov = xy[i] - mx[i] * my[i];
            double contrast = (2 * cov + C2) / (vx + vy + C2);
            ssim += (2 * mx[i] * my[i] + C1) / (mx[i] * mx[i] + my[i] * my[i] + C1) * contrast;
            contrasts += contrast;
        }
        return new Similarity(ssim / mx.length, contrasts / mx.length);
    }

    /** Returns one channel of a picture in rows, on the scale of [0,2], where black is 0. */
    static double[] plane(Image a, int channel) {
        double[] out = new double[a.width() * a.height()];
        for (int i = 0; i < out.length; i++) {
            out[i] = a.data()[3 * i + channel] + 1.0;
        }
        return out;
    }

    /** Computes weighted means over the windows that are inside of the picture: [h,w] to [h-10,w-10]. */
    private static double[] smooth(double[] p, int w, int h) {
        int wo = w - 2 * RADIUS;
        int ho = h - 2 * RADIUS;
        double[] rows = new double[h * wo];
        for (int i = 0; i < rows.length; i++) {
            for (int k = 0; k < WINDOW.length; k++) {
                rows[i] += WINDOW[k] * p[i / wo * w + i % wo + k];
            }
        }
        double[] out = new double[ho * wo];
        for (int i = 0; i < out.length; i++) {
            for (int k = 0; k < WINDOW.length; k++) {
                out[i] += WINDOW[k] * rows[i + k * wo];
            }
        }
        return out;
    }

    private static double[] product(double[] x, double[] y) {
        double[] out = new double[x.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = x[i] * y[i];
        }
        return out;
    }

    private static double[] window(double sigma) {
        double[] w = new double[SIDE];
        double sum = 0;
        for (int i = 0; i < w.length; i++) {
            w[i] = Math.exp(-0.5 * (i - RADIUS) * (i - RADIUS) / (sigma * sigma));
            sum += w[i];
        }
        for (int i = 0; i < w.length; i++) {
            w[i] /= sum;
        }
        return w;
    }
}
