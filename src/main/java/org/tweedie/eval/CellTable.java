// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Writes cells as tables in CSV format (RFC 4180, with line feeds), a line for each cell in the order of the list. */
public final class CellTable {
    private static final String KEY = "picture,task,noise,solver,seed";

    private CellTable() {}

    /**
     * Returns the table of metrics and network evaluations, which does not depend on how long anything took. A field is empty
     * where a cell has no such number.
     */
    public static String results(List<Cell> cells) {
        Set<String> metrics = new LinkedHashSet<>();
        Set<String> evaluations = new LinkedHashSet<>();
        cells.forEach(c -> metrics.addAll(c.metrics().keySet()));
        cells.forEach(c -> evaluations.addAll(c.evaluations().keySet()));
        StringBuilder table = new StringBuilder(KEY);
        metrics.forEach(m -> table.append(',').append(quoted(m)));
        evaluations.forEach(e -> table.append(',').append(quoted(e)));
        table.append('\n');
        for (Cell c : cells) {
            table.append(key(c.key()));
            metrics.forEach(m -> table.append(',').append(text(c.metrics().get(m))));
            evaluations.forEach(e -> table.append(',').append(c.evaluations().containsKey(e) ? c.evaluations().get(e) : ""));
            table.append('\n');
        }
        return table.toString();
    }

    /** Returns the table of the times that the solvers took, in seconds. */
    public static String times(List<Cell> cells) {
        StringBuilder table = new StringBuilder(KEY + ",seconds\n");
        cells.forEach(c -> table.append(key(c.key())).append(',').append(String.format(Locale.ROOT, "%.3f", c.seconds()))
                .append('\n'));
        return table.toString();
    }

    private static String key(Cell.Key k) {
        return quoted(k.picture()) + "," + quoted(k.task()) + "," + quoted(k.noise()) + "," + quoted(k.solver()) + "," + k.seed();
    }

    private static String text(Double x) {
        return x == null ? "" : Double.isFinite(x) ? String.format(Locale.ROOT, "%.6f", x) : Double.toString(x);
    }

    /** Returns a field of a CSV table, quoted if necessary (RFC 4180). */
    static String quoted(String field) {
        return field.matches("[^,\"\r\n]*") ? field : "\"" + field.replace("\"", "\"\"") + "\"";
    }
}
