// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class PairedTest {
    private static final Trial A1 = new Trial("a", 1);
    private static final Trial A2 = new Trial("a", 2);
    private static final Trial B1 = new Trial("b", 1);
    private static final Trial B2 = new Trial("b", 2);
    private static final Trial C1 = new Trial("c", 1);

    private static SortedMap<Trial, Double> values(Map<Trial, Double> m) {
        return new TreeMap<>(m);
    }

    /**
     * The pictures' differences are (1 + 3) / 2 = 2 and (5 - 1) / 2 = 2, not four numbers: so n is 2 and sd 0. With the seed as
     * the unit n would be 4.
     */
    @Test
    void theSamplingUnitIsThePicture() {
        Paired p = Paired.of(values(Map.of(A1, 11.0, A2, 13.0, B1, 25.0, B2, 19.0)),
                values(Map.of(A1, 10.0, A2, 10.0, B1, 20.0, B2, 20.0)), new TreeSet<>(Set.of(A1, A2, B1, B2)));
        assertEquals(new Estimate(2, 2, 0), p.difference());
        assertEquals(new TreeSet<>(Set.of(1L, 2L)), p.seeds());
        assertEquals(0, p.leftOut());
    }

    /** A pair with one value is left out, also if its picture stays with another seed; so is a pair with none. */
    @Test
    void incompletePairsAreLeftOutAndCounted() {
        SortedSet<Trial> all = new TreeSet<>(Set.of(A1, A2, B1, B2, C1));
        Paired p = Paired.of(values(Map.of(A1, 11.0, A2, 99.0, B1, 23.0)), values(Map.of(A1, 10.0, B1, 20.0, B2, 20.0)), all);
        assertEquals(2, p.difference().n());
        assertEquals(2, p.difference().mean()); // (1 + 3) / 2
        assertEquals(Math.sqrt(2), p.difference().sd(), 1e-15);
        assertEquals(3, p.leftOut());
        assertEquals(new TreeSet<>(Set.of(1L)), p.seeds());
    }
}
