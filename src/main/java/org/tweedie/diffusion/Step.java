// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.Map;

/**
 * One step of a run, as it is reported to a listener.
 *
 * @param step the outer step, from 1
 * @param steps the number of outer steps
 * @param inner the inner step, from 1
 * @param inners the largest number of inner steps of an outer step
 * @param timestep the timestep at which the network was evaluated
 * @param values the numbers that the method reports, by column; a missing number was not computed in this step
 */
public record Step(int step, int steps, int inner, int inners, double timestep, Map<String, Double> values) {
    /** The column in which solvers report |y - A D(zbar)| / (sigma sqrt(m)), which is 1 at the noise level. */
    public static final String RESIDUAL = "residual";

    /** The number of inner steps that are done, over all outer steps. */
    public long done() {
        return (long) (step - 1) * inners + inner;
    }

    /** The total number of inner steps. */
    public long total() {
        return (long) steps * inners;
    }

    /** Returns a reported number, or NaN when it was not computed in this step. */
    public double value(String column) {
        return values.getOrDefault(column, Double.NaN);
    }
}
