// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A table of texts.
 *
 * @param columns the heads of the columns
 * @param rows as many texts in each row as there are columns
 */
record Table(List<String> columns, List<List<String>> rows) {
    /** Stands in a Markdown table for what is not there. */
    static final String NONE = "-";

    /** Returns the table in Markdown. */
    String markdown() {
        StringBuilder s = new StringBuilder(line(columns)).append("|").append("---|".repeat(columns.size())).append('\n');
        rows.forEach(r -> s.append(line(r)));
        return s.toString();
    }

    private static String line(List<String> fields) {
        return fields.stream().map(f -> f.replace("|", "\\|")).collect(Collectors.joining(" | ", "| ", " |\n"));
    }

    /** Returns the table as CSV (RFC 4180, with line feeds). */
    String csv() {
        StringBuilder s = new StringBuilder(String.join(",", columns)).append('\n');
        rows.forEach(r -> s.append(r.stream().map(Table::quoted).collect(Collectors.joining(","))).append('\n'));
        return s.toString();
    }

    private static String quoted(String field) {
        return field.matches("[^,\"\r\n]*") ? field : "\"" + field.replace("\"", "\"\"") + "\"";
    }

    /** Returns a number for CSV; empty for NaN. */
    static String exact(double x) {
        return Double.isNaN(x) ? "" : String.format(Locale.ROOT, "%.6f", x).replaceFirst("^-(0\\.0+)$", "$1");
    }

    /** Returns a p value for CSV, to six significant digits; empty for NaN. */
    static String exactP(double p) {
        return Double.isNaN(p) ? "" : String.format(Locale.ROOT, "%.5e", p);
    }

    /** Returns a number for people. */
    static String rounded(double x, int digits) {
        return Double.isNaN(x) ? NONE : String.format(Locale.ROOT, "%." + digits + "f", x).replaceFirst("^-(0(\\.0+)?)$", "$1");
    }

    /** Returns a number for people, with its sign unless it is rounded to zero. */
    static String signed(double x, int digits) {
        String s = rounded(x, digits);
        return x > 0 && !s.matches("0(\\.0+)?") ? "+" + s : s;
    }

    /** Returns a p value for people. */
    static String p(double p) {
        return Double.isNaN(p) ? NONE : p < 1e-4 ? "< 0.0001" : rounded(p, 4);
    }

    /** Returns a name as code. */
    static String code(String name) {
        return "`" + name + "`";
    }
}
