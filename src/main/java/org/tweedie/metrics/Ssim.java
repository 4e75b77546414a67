// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.image.Image;

/**
 * The structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) with windows of 11x11 under a Gaussian of 1.5 pixels, K1 =
 * 0.01, K2 = 0.03, range 2 (the width of [-1,1]), and covariances that are not corrected for the sample size. It is the mean over
 * channels and over the windows inside of the picture.
 */
public final class Ssim {
    private static final int RADIUS = 5;
    private static final double[] WINDOW = window(1.5);
    private static final double C1 = Math.pow(0.01 * 2, 2);
    private static final double C2 = Math.pow(0.03 * 2, 2);

    private Ssim() {}

    /**
     * Returns 1 for equal pictures, less for others.
     *
     * @throws IllegalArgumentException when the sizes differ or a side is below 11 pixels
     */
    public static double of(Image a, Image b) {
        Psnr.requireSameSize("ssim", a, b);
        int side = 2 * RADIUS + 1;
        if (a.width() < side || a.height() < side) {
            throw new IllegalArgumentException("ssim: expected pictures of at least " + side + "x" + side + " (the window), got "
                    + a.width() + "x" + a.height());
        }
        double sum = 0;
        for (int channel = 0; channel < 3; channel++) {
            sum += channel(plane(a, channel), plane(b, channel), a.width(), a.height());
        }
        return sum / 3;
    }

    private static double channel(double[] x, double[] y, int w, int h) {
        double[] mx = smooth(x, w, h);
        double[] my = smooth(y, w, h);
        double[] xx = smooth(product(x, x), w, h);
        double[] yy = smooth(product(y, y), w, h);
        double[] xy = smooth(product(x, y), w, h);
        double sum = 0;
        for (int i = 0; i < mx.length; i++) {
            double vx = xx[i] - mx[i] * mx[i];
            double vy = yy[i] - my[i] * my[i];
            double cov = xy[i] - mx[i] * my[i];
            sum += (2 * mx[i] * my[i] + C1) * (2 * cov + C2) / ((mx[i] * mx[i] + my[i] * my[i] + C1) * (vx + vy + C2));
        }
        return sum / mx.length;
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

    private static double[] plane(Image a, int channel) {
        double[] out = new double[a.width() * a.height()];
        for (int i = 0; i < out.length; i++) {
            out[i] = a.data()[3 * i + channel];
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
        double[] w = new double[2 * RADIUS + 1];
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
