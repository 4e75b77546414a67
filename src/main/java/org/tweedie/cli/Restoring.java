// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.tweedie.Session;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.console.Progress;
import org.tweedie.cli.console.StepLog;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.Measurement;
import org.tweedie.solve.Solver;
import org.tweedie.solve.Solvers;

/**
 * Runs a restoration and shows its progress on the terminal.
 *
 * @param log the file for a table of the steps; null for none
 */
record Restoring(Solver solver, Path log) {
    Restoration run(Session session, Measurement y, long seed) throws IOException {
        StepLog table = new StepLog(solver.columns());
        try (Progress progress = new Progress(Solvers.catalogue().name(solver))) {
            return session.restore(y, solver, seed, s -> {
                table.add(s);
                boolean skips = s.value("move") == 0; // the solver skips the other inner steps of this level
                progress.at(skips ? (long) s.step() * s.inners() : s.done(), s.total(),
                        "step " + s.step() + "/" + s.steps() + residual(s.value(Step.RESIDUAL)));
            });
        } finally {
            if (log != null) {
                table.write(log); // a run that failed writes its table too
            }
        }
    }

    /** The residual of a step; a solver without a data term reports none. */
    private static String residual(double value) {
        return Double.isNaN(value) ? "" : ", residual " + Numbers.of(value, 2);
    }
}
