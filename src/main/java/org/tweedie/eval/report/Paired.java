// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The difference between two solvers on the same pictures. The picture is the sampling unit: for each picture the differences
 * are first averaged over the seeds that both solvers have, and n counts pictures.
 *
 * @param difference the mean over pictures of the first solver's value less the second's
 * @param seeds the seeds that occur in the pairs
 * @param leftOut how many pairs of picture and seed were left out, because one or both of the values are missing
 */
public record Paired(Estimate difference, SortedSet<Long> seeds, int leftOut) {
    /**
     * Compares two solvers.
     *
     * @param first the values of the first solver
     * @param second the values of the second solver
     * @param all the pairs of picture and seed that the evaluation has; those without two values are counted as left out
     */
    public static Paired of(SortedMap<Trial, Double> first, SortedMap<Trial, Double> second, SortedSet<Trial> all) {
        SortedMap<Trial, Double> differences = new TreeMap<>();
        SortedSet<Long> seeds = new TreeSet<>();
        int leftOut = 0;
        for (Trial t : all) {
            if (first.containsKey(t) && second.containsKey(t)) {
                differences.put(t, first.get(t) - second.get(t));
                seeds.add(t.seed());
            } else {
                leftOut++;
            }
        }
        return new Paired(Estimate.of(Trial.byPicture(differences).values()), seeds, leftOut);
    }
}
