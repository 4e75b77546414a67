// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CancellationException;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Vectors;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** Checks how solvers stop before their end. */
final class Halting {
    private Halting() {}

    /** Checks that a run that is cancelled in its second step reports no third one. */
    static void stopsWhenCancelled(Solver solver) {
        stopsWhenCancelled(solver, GaussianBed.problem(MixturePrior.normal(0, 0.6), "sr:4"));
    }

    /** Checks the same for a problem of the caller's. */
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

    /** Checks that a measurement of NaN stops the run with a message that begins with the given text. */
    static void stopsAtNaN(Solver solver, Problem p, String start) {
        Problem nan = new Problem(p.prior(), p.operator(), Vectors.scale(Double.NaN, p.y()), p.sigma(), p.seed());
        String message = assertThrows(Finite.NotFinite.class, () -> solver.solve(nan, Listener.NONE)).getMessage();
        assertTrue(message.startsWith(start), message);
    }

    /** Checks that a network whose output is infinite stops the run with a message that begins with the given text. */
    static void namesWhatIsNotFinite(Solver solver, String start) {
        Denoiser broken = new Denoiser() {
            @Override
            public Value eps(Tracer t, Value z, NoiseLevel.Traced level) {
                return t.div(z, t.constant(0.0));
            }

            @Override
            public int evaluations() {
                return 1;
            }
        };
        String message = assertThrows(Finite.NotFinite.class,
                () -> solver.solve(GaussianBed.problem(broken, "sr:4"), Listener.NONE)).getMessage();
        assertTrue(message.startsWith(start), message);
    }
}
