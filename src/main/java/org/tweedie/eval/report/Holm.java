// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The p values of a family of comparisons, adjusted by the step-down method of Holm (Scandinavian Journal of Statistics 6,
 * 1979). Rejecting what has an adjusted p value below alpha keeps the probability of one or more false rejections in the
 * family at alpha or less, however the comparisons depend on each other.
 *
 * @param family the name that tables give the family
 * @param p the p values; NaN marks a comparison that could not be tested, which does not count
 */
public record Holm(String family, List<Double> p) {
    /** The probability of a false rejection in a family. */
    public static final double ALPHA = 0.05;

    /** Copies the p values. */
    public Holm {
        p = List.copyOf(p);
    }

    /** The number of comparisons that could be tested. */
    public int count() {
        return (int) p.stream().filter(x -> !x.isNaN()).count();
    }

    /**
     * Returns the adjusted p values in the order of the given ones. With the m values in ascending order, the i-th is
     * max over j up to i of min(1, (m - j + 1) p_j).
     */
    public List<Double> adjusted() {
        List<Integer> ascending = IntStream.range(0, p.size()).boxed().filter(i -> !p.get(i).isNaN())
                .sorted(Comparator.comparing(p::get)).toList();
        Double[] adjusted = p.toArray(Double[]::new);
        double most = 0;
        for (int j = 0; j < ascending.size(); j++) {
            most = Math.max(most, Math.min(1, (ascending.size() - j) * p.get(ascending.get(j))));
            adjusted[ascending.get(j)] = most;
        }
        return List.of(adjusted);
    }

    /** Returns the level that an interval needs to hold simultaneously with the family's others (Bonferroni). */
    public double simultaneousLevel() {
        return 1 - (1 - Estimate.LEVEL) / Math.max(1, count());
    }
}
