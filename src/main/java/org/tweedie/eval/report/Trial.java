// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A trial is the picture and the seed, which determine the measurement; two solvers are compared on the same trials.
 *
 * @param picture the name of the picture's file
 * @param seed the seed of the cell
 */
public record Trial(String picture, long seed) implements Comparable<Trial> {
    private static final Comparator<Trial> ORDER = Comparator.comparing(Trial::picture).thenComparingLong(Trial::seed);

    @Override
    public int compareTo(Trial o) {
        return ORDER.compare(this, o);
    }

    /** Averages the values of each picture over its seeds. */
    static SortedMap<String, Double> byPicture(SortedMap<Trial, Double> values) {
        SortedMap<String, List<Double>> seeds = new TreeMap<>();
        values.forEach((t, v) -> seeds.computeIfAbsent(t.picture, p -> new ArrayList<>()).add(v));
        SortedMap<String, Double> means = new TreeMap<>();
        seeds.forEach((picture, v) -> means.put(picture, Estimate.of(v).mean()));
        return means;
    }
}
