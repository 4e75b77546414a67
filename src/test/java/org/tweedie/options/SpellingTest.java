// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpellingTest {
    private static final List<String> WORDS = List.of("--steps", "--step", "--seed", "--sigma");

    @Test
    void distanceCountsEdits() {
        assertEquals(0, Spelling.distance("seed", "seed"));
        assertEquals(1, Spelling.distance("sede", "seed"));
        assertEquals(1, Spelling.distance("sed", "seed"));
        assertEquals(3, Spelling.distance("kitten", "sitting"));
    }

    @Test
    void theNearestWordsAreMeant() {
        assertEquals("; did you mean '--sigma'?", Spelling.suggestion("--simga", WORDS));
        assertEquals("; did you mean '--steps' or '--step'?", Spelling.suggestion("--ste", WORDS));
        assertEquals("", Spelling.suggestion("--colour", WORDS));
    }
}
