// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.Map;

/**
 * One step of a run, as a listener sees it.
 *
 * @param step the outer step, from 1
 * @param steps how many outer steps there are
 * @param inner the inner step, from 1
 * @param inners how many inner steps an outer step may have
 * @param timestep the timestep that the network was asked for
 * @param values the numbers that the method reports, by the names of its columns; a missing one was not computed in this step
 */
public record Step(int step, int steps, int inner, int inners, double timestep, Map<String, Double> values) {
    /** The column in which solvers report |y - A D(zbar)| / (sigma sqrt(m)); 1 is the noise level. */
    public static final String RESIDUAL = "residual";

    /** How many of all inner steps are done. */
    public long done() {
        return (long) (step - 1) * inners + inner;
    }

    /** How many inner steps there are in all. */
    public long total() {
        return (long) steps * inners;
    }

    /** A reported number; NaN when it was not computed in this step. */
    public double value(String column) {
        return values.getOrDefault(column, Double.NaN);
    }
}
