// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CancellationException;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Vectors;

/** Checks of how the run of a solver ends before its time. */
final class Broken {
    private Broken() {}

    /** Checks that a measurement with NaN ends the run with a message that begins with the solver and the place. */
    static void stopsAtNaN(Solver solver, Problem p, String start) {
        Problem nan = new Problem(p.prior(), p.operator(), Vectors.scale(Double.NaN, p.y()), p.sigma(), p.seed());
        String message = assertThrows(Finite.NotFinite.class, () -> solver.solve(nan, Listener.NONE)).getMessage();
        assertTrue(message.startsWith(start), message);
    }

    /** Checks that a run which is cancelled in its second step reports no third. */
    static void stopsWhenCancelled(Solver solver, Problem p) {
        int[] steps = {0};
        Listener l = new Listener() {
            @Override
            public void step(Step s) {
                steps[0]++;
            }

            @Override
            public boolean cancelled() {
                return steps[0] == 2;
            }
        };
        assertThrows(CancellationException.class, () -> solver.solve(p, l));
        assertEquals(2, steps[0]);
    }
}
