// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class HolmTest {
    private static void adjusts(List<Double> p, List<Double> expected) {
        List<Double> adjusted = new Holm("family", p).adjusted();
        assertEquals(expected.size(), adjusted.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i), adjusted.get(i), 1e-15, "comparison " + i);
        }
    }

    /** The textbook example of four hypotheses: at 0.05 the fourth and the first are rejected, and no other. */
    @Test
    void fourHypotheses() {
        adjusts(List.of(0.01, 0.04, 0.03, 0.005), List.of(0.03, 0.06, 0.06, 0.02));
    }

    /** 5 * 0.01, 4 * 0.02, 3 * 0.03, then 2 * 0.04 = 0.08 and 0.05, which must not fall below 0.09. */
    @Test
    void adjustedValuesDoNotFall() {
        adjusts(List.of(0.01, 0.02, 0.03, 0.04, 0.05), List.of(0.05, 0.08, 0.09, 0.09, 0.09));
    }

    @Test
    void adjustedValuesAreAtMostOne() {
        adjusts(List.of(0.9, 0.4), List.of(0.9, 0.8));
        adjusts(List.of(0.9, 0.6), List.of(1.0, 1.0));
        adjusts(List.of(), List.of());
    }

    /** What could not be tested does not make the others' correction larger. */
    @Test
    void untestedComparisonsDoNotCount() {
        Holm holm = new Holm("family", List.of(Double.NaN, 0.01, 0.04));
        assertEquals(2, holm.count());
        assertTrue(holm.adjusted().getFirst().isNaN());
        assertEquals(List.of(0.02, 0.04), holm.adjusted().subList(1, 3));
    }

    /** Five intervals hold together with 95 % if each holds with 99 %. */
    @Test
    void simultaneousIntervalsAreBonferronis() {
        assertEquals(0.99, new Holm("family", List.of(0.1, 0.1, 0.1, 0.1, 0.1)).simultaneousLevel(), 1e-15);
    }
}
