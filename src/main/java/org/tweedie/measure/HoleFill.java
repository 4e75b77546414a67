// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

/**
 * Fills holes smoothly from their surroundings: solves Laplace's equation inside the holes with the known pixels fixed. It
 * works from coarse to fine: each level starts from the filled level of half the size and takes a few Gauss-Seidel sweeps,
 * always in the same order.
 */
final class HoleFill {
    private static final int SWEEPS = 24;

    private HoleFill() {}

    /**
     * @param pixels [h,w,3]
     * @param known [h,w], true for the pixels to keep
     * @return the filled picture; zeros (mid grey) if no pixel is known
     */
    static float[] fill(float[] pixels, boolean[] known, int h, int w) {
        float[] out = pixels.clone();
        int missing = 0;
        for (int i = 0; i < known.length; i++) {
            if (!known[i]) {
                missing++;
                out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = 0;
            }
        }
        if (missing == 0 || missing == known.length) {
            return out;
        }
        coarse(out, known, h, w);
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            sweep(out, known, h, w);
        }
        return out;
    }

    /** Averages the known pixels of 2x2 blocks, fills the smaller picture, and interpolates it bilinearly into the holes. */
    private static void coarse(float[] pixels, boolean[] known, int h, int w) {
        int hc = (h + 1) / 2;
        int wc = (w + 1) / 2;
        float[] sums = new float[hc * wc * 3];
        int[] counts = new int[hc * wc];
        for (int i = 0; i < known.length; i++) {
            if (known[i]) {
                int block = i / w / 2 * wc + i % w / 2;
                counts[block]++;
                for (int c = 0; c < 3; c++) {
                    sums[3 * block + c] += pixels[3 * i + c];
                }
            }
        }
        boolean[] there = new boolean[counts.length];
        for (int i = 0; i < sums.length; i++) {
            there[i / 3] = counts[i / 3] > 0;
            sums[i] /= Math.max(1, counts[i / 3]);
        }
        float[] filled = fill(sums, there, hc, wc);
        for (int i = 0; i < known.length; i++) {
            if (!known[i]) {
                Bilinear.sample(filled, 0, hc, wc, i / w / 2.0 - 0.25, i % w / 2.0 - 0.25, pixels, i);
            }
        }
    }

    /** Replaces each unknown pixel by the mean of its four neighbours (fewer at the border), in place. */
    private static void sweep(float[] p, boolean[] known, int h, int w) {
        for (int i = 0; i < known.length; i++) {
            if (known[i]) {
                continue;
            }
            int up = i >= w ? i - w : i;
            int down = i < (h - 1) * w ? i + w : i;
            int left = i % w > 0 ? i - 1 : i;
            int right = i % w < w - 1 ? i + 1 : i;
            for (int c = 0; c < 3; c++) {
                p[3 * i + c] = (p[3 * up + c] + p[3 * down + c] + p[3 * left + c] + p[3 * right + c]) / 4;
            }
        }
    }
}
