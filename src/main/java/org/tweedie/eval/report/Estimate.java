// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.Collection;
import org.hipparchus.distribution.continuous.TDistribution;

/**
 * The mean of independent numbers, with the interval and the test of Student's t distribution.
 *
 * @param n how many numbers there are
 * @param mean NaN for no numbers
 * @param sd the standard deviation with the divisor n - 1; NaN for fewer than two numbers
 */
public record Estimate(int n, double mean, double sd) {
    /** The level of the intervals in the tables. */
    public static final double LEVEL = 0.95;

    /** Returns the estimate of some numbers; sums run in the order of the collection. */
    public static Estimate of(Collection<Double> numbers) {
        int n = numbers.size();
        double sum = 0;
        for (double x : numbers) {
            sum += x;
        }
        double mean = sum / n;
        double squares = 0;
        for (double x : numbers) {
            squares += (x - mean) * (x - mean);
        }
        return new Estimate(n, mean, n < 2 ? Double.NaN : Math.sqrt(squares / (n - 1)));
    }

    /**
     * Returns half the width of the two-sided interval: t sd / sqrt(n), with the quantile t of n - 1 degrees of freedom.
     *
     * @param level the probability that the interval holds the true mean, for example 0.95
     * @return NaN for fewer than two numbers
     */
    public double halfWidth(double level) {
        return n < 2 ? Double.NaN : new TDistribution(n - 1).inverseCumulativeProbability((1 + level) / 2) * sd / Math.sqrt(n);
    }

    /** The lower end of the interval of {@link #LEVEL}; NaN for fewer than two numbers. */
    public double low() {
        return mean - halfWidth(LEVEL);
    }

    /** The upper end of the interval of {@link #LEVEL}; NaN for fewer than two numbers. */
    public double high() {
        return mean + halfWidth(LEVEL);
    }

    /**
     * Returns the two-sided p value of the hypothesis that the true mean is zero. If all numbers are equal, it is 1 where they
     * are zero and 0 elsewhere, the limits of the formula.
     *
     * @return NaN for fewer than two numbers
     */
    public double p() {
        if (n < 2) {
            return Double.NaN;
        }
        if (sd == 0) {
            return mean == 0 ? 1 : 0;
        }
        return 2 * new TDistribution(n - 1).cumulativeProbability(-Math.abs(mean) * Math.sqrt(n) / sd);
    }
}
