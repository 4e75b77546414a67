// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.solve.Psld;
import org.tweedie.solve.Solvers;

/** A solver has the defaults that its publication gives for a task, unless the user gives another value. */
class ForTaskTest {
    @Test
    void theDefaultsOfATaskReplaceTheSolversOwn() {
        assertEquals(0.01, ((Psld) Solvers.of("psld", "inpaint:box")).gamma());
        assertEquals(0.1, ((Psld) Solvers.of("psld", "inpaint:box:40")).omega());
        assertEquals(0.1, ((Psld) Solvers.of("psld", "inpaint:boxes")).gamma());
        assertEquals(1, ((Psld) Solvers.of("psld", "sr:4")).omega());
    }

    @Test
    void whatTheUserGivesHasPriority() {
        Psld p = (Psld) Solvers.of("psld:gamma=0.5", "inpaint:box");
        assertEquals(0.5, p.gamma());
        assertEquals(0.1, p.omega());
        assertEquals(0.5, ((Psld) Solvers.of("psld", Map.of("gamma", "0.5"), "inpaint:box")).gamma());
    }

    /** Each of the declared values is an option of its solver, within its range. */
    @Test
    void allDeclaredValuesAreValid() {
        for (String solver : Solvers.names()) {
            for (ForTask f : Solvers.catalogue().options(solver).forTasks()) {
                Map<String, String> values = Solvers.catalogue().options(solver).values(Solvers.of(solver, f.task()));
                Catalogue.assignments(f.options()).forEach((option, value) ->
                        assertEquals(Solvers.catalogue().options(solver).values(Solvers.of(solver, Map.of(option, value)))
                                .get(option), values.get(option), solver + " for " + f.task() + ": " + option));
            }
        }
    }
}
