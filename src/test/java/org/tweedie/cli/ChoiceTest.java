// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class ChoiceTest {
    private static final List<String> WORDS = List.of("--steps", "--step", "--seed", "--sigma");

    @Test
    void distanceCountsEdits() {
        assertEquals(0, Choice.distance("seed", "seed"));
        assertEquals(1, Choice.distance("sede", "seed"));
        assertEquals(1, Choice.distance("sed", "seed"));
        assertEquals(3, Choice.distance("kitten", "sitting"));
    }

    @Test
    void theNearestWordsAreMeant() {
        assertEquals("; did you mean '--sigma'?", Choice.meant("--simga", WORDS));
        assertEquals("; did you mean '--steps' or '--step'?", Choice.meant("--ste", WORDS));
        assertEquals("", Choice.meant("--colour", WORDS));
    }
}
