// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

/** Bilinear interpolation of pictures. */
final class Bilinear {
    private Bilinear() {}

    /**
     * Interpolates picture b of [B,h,w,3] at row y and column x, and stores the three channels in pixel {@code at} of another
     * picture. Pixel centres are at whole numbers; beyond the border the picture has the border's value.
     */
    static void sample(float[] from, int b, int h, int w, double y, double x, float[] to, int at) {
        double fy = Math.max(0, Math.min(h - 1, y));
        double fx = Math.max(0, Math.min(w - 1, x));
        int y0 = (int) fy;
        int x0 = (int) fx;
        int y1 = Math.min(h - 1, y0 + 1);
        int x1 = Math.min(w - 1, x0 + 1);
        for (int c = 0; c < 3; c++) {
            double top = mix(from[((b * h + y0) * w + x0) * 3 + c], from[((b * h + y0) * w + x1) * 3 + c], fx - x0);
            double bottom = mix(from[((b * h + y1) * w + x0) * 3 + c], from[((b * h + y1) * w + x1) * 3 + c], fx - x0);
            to[3 * at + c] = (float) mix(top, bottom, fy - y0);
        }
    }

    private static double mix(double a, double b, double t) {
        return a + t * (b - a);
    }
}
