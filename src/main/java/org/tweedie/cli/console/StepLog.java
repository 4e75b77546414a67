// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tweedie.diffusion.Step;
import org.tweedie.image.AtomicFile;

/** A table of the steps of a run in CSV format; the field of a number that was not computed is empty. */
public final class StepLog {
    private final List<String> columns;
    private final List<String> lines = new ArrayList<>();

    /** @param columns the numbers that the solver reports */
    public StepLog(List<String> columns) {
        this.columns = columns;
        lines.add("step,inner,timestep," + String.join(",", columns));
    }

    public void add(Step s) {
        StringBuilder line = new StringBuilder(s.step() + "," + s.inner() + "," + (s.timestep() == Math.rint(s.timestep())
                ? Long.toString((long) s.timestep()) : Double.toString(s.timestep())));
        for (String c : columns) {
            double x = s.value(c);
            line.append(',').append(Double.isNaN(x) ? "" : Double.toString(x));
        }
        lines.add(line.toString());
    }

    public void write(Path file) throws IOException {
        AtomicFile.write(file, (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
