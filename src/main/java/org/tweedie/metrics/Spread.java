// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.image.Image;

/**
 * How far two restorations of one measurement are apart when only the solver's seed differs. It compares no picture with the
 * truth: a solver that samples the posterior has a spread, one that finds a single estimate has none.
 */
public final class Spread {
    private Spread() {}

    /**
     * Returns the root of the mean squared difference over all pixels and channels, on the scale of [-1,1]: 0 for equal pictures,
     * 2 between black and white.
     *
     * @throws IllegalArgumentException when the sizes differ
     */
    public static double of(Image a, Image b) {
        return Math.sqrt(Psnr.meanSquare("spread", a, b));
    }
}
