// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tweedie.image.AtomicFile;
import org.tweedie.solve.Step;

/** Each evaluation of the loss as a line of a table of comma-separated values; empty where a number was not taken. */
final class StepLog {
    private static final String HEADER = "step,inner,timestep,residual,gradient,data_gradient,trace_gradient,move";

    private final List<String> lines = new ArrayList<>(List.of(HEADER));

    void add(Step s) {
        lines.add(s.step() + "," + s.inner() + "," + s.timestep() + "," + number(s.residual()) + "," + number(s.gradient()) + ","
                + number(s.dataGradient()) + "," + number(s.traceGradient()) + "," + number(s.move()));
    }

    private static String number(double x) {
        return Double.isNaN(x) ? "" : Double.toString(x);
    }

    void write(Path file) throws IOException {
        AtomicFile.write(file, (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
