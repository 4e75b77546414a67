// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

/** The noise levels of Karras et al. (arXiv 2206.00364, equation 5), which are closer together the less noise is left. */
public final class Karras {
    private static final double RHO = 7;

    private Karras() {}

    /**
     * Returns n ratios of noise to signal, from the largest to the smallest:
     * ratio(i) = (most^(1/rho) + i / (n - 1) (least^(1/rho) - most^(1/rho)))^rho with rho = 7.
     */
    public static double[] ratios(double most, double least, int n) {
        double first = Math.pow(most, 1 / RHO);
        double last = Math.pow(least, 1 / RHO);
        double[] ratios = new double[n];
        for (int i = 0; i < n; i++) {
            ratios[i] = Math.pow(first + (n == 1 ? 0 : (double) i / (n - 1)) * (last - first), RHO);
        }
        return ratios;
    }
}
