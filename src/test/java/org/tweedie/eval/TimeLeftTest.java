// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class TimeLeftTest {
    private static Cell.Key key(String picture, String solver) {
        return new Cell.Key(picture, "sr:4", "gaussian:0.01", solver, 1);
    }

    /** ldps takes 2 n + 2 n + 1 evaluations for n steps: one forward and pull-back of each network per step, one decoding. */
    private static final String FIVE = "ldps:steps=1";
    private static final String NINE = "ldps:steps=2";

    @Test
    void anUnknownSolverCostsItsEvaluations() {
        TimeLeft left = new TimeLeft(List.of(key("a", "pinv"), key("a", FIVE), key("b", FIVE), key("a", NINE)), 1);
        assertTrue(left.seconds().isEmpty());
        left.done(key("a", "pinv"), 100);
        assertTrue(left.seconds().isEmpty(), "a cell without evaluations says nothing of those with");
        left.done(key("a", FIVE), 10);
        assertEquals(10 + 9 * 2, left.seconds().getAsDouble(), 1e-9);
        left.done(key("b", FIVE), 30);
        assertEquals(9 * 4, left.seconds().getAsDouble(), 1e-9);
        left.done(key("a", NINE), 1);
        assertEquals(0, left.seconds().getAsDouble());
    }

    @Test
    void workersShareWhatIsLeft() {
        TimeLeft left = new TimeLeft(List.of(key("a", FIVE), key("b", FIVE), key("c", FIVE), key("d", FIVE)), 2);
        left.done(key("a", FIVE), 8);
        assertEquals(12, left.seconds().getAsDouble(), 1e-9);
        left.done(key("b", FIVE), 8);
        assertEquals(8, left.seconds().getAsDouble(), 1e-9);
        left.done(key("c", FIVE), 8);
        assertEquals(8, left.seconds().getAsDouble(), 1e-9, "one cell cannot be shared");
        left.failed(key("d", FIVE));
        assertEquals(0, left.seconds().getAsDouble());
    }
}
