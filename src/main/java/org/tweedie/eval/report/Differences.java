// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The paired differences of a metric between each solver and a baseline, for each case. All comparisons of a metric are a
 * family.
 */
final class Differences {
    /** A solver less the baseline. */
    private record Row(CellSet.Case at, String solver, Paired paired) {}

    private final CellSet cells;
    private final Metric metric;
    private final String against;
    private final boolean simultaneous;
    private final List<Row> rows = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Holm holm;

    /**
     * @param against the baseline; it may be a row that needs no solver
     * @param simultaneous whether the intervals that hold simultaneously (Bonferroni) are shown too
     */
    Differences(CellSet cells, Metric metric, String against, boolean simultaneous) {
        this.cells = cells;
        this.metric = metric;
        this.against = against;
        this.simultaneous = simultaneous;
        cells.cases().forEach(this::compare);
        holm = new Holm("differences to " + against + ", " + metric.title(), rows.stream().map(r -> r.paired.difference().p())
                .toList());
    }

    private void compare(CellSet.Case at) {
        SortedMap<Trial, Double> base = cells.values(at, against, metric.name());
        String where = " at " + Table.code(at.text());
        if (base.isEmpty()) {
            notes.add("There is no comparison" + where + ", because " + Table.code(against) + " has no values there.");
            return;
        }
        for (String solver : cells.solvers()) {
            if (solver.equals(against) || NaturalOrder.isBase(solver)) {
                continue;
            }
            SortedMap<Trial, Double> values = cells.values(at, solver, metric.name());
            Paired paired = Paired.of(values, base, cells.trials(at));
            if (paired.difference().n() == 0) {
                notes.add("There is no comparison of " + Table.code(solver) + where + ", because it has "
                        + (values.isEmpty() ? "no values there." : "no picture and seed in common with the baseline."));
                continue;
            }
            rows.add(new Row(at, solver, paired));
            if (paired.leftOut() > 0) {
                notes.add(Table.code(solver) + where + ": " + paired.leftOut() + " of " + cells.trials(at).size()
                        + " pairs of picture and seed, because a value is missing or not finite.");
            }
            if (paired.difference().n() == 1) {
                notes.add(Table.code(solver) + where + ": the interval and the test, because there is one picture only.");
            }
        }
    }

    /** The p values of all comparisons, in the order of the rows. */
    Holm holm() {
        return holm;
    }

    Section section() {
        List<String> heads = new ArrayList<>(List.of("task", "noise", "solver", "pictures", "seeds", "left out", "difference",
                "95 % interval"));
        if (simultaneous) {
            heads.add("simultaneous interval");
        }
        heads.addAll(List.of("p", "p (Holm)", "decision"));
        List<Double> adjusted = holm.adjusted();
        List<List<String>> table = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            table.add(row(rows.get(i), adjusted.get(i)));
        }
        return new Section("Differences to " + Table.code(against) + ": " + metric.title(), caption(), new Table(heads, table),
                notes, cells.solvers());
    }

    private List<String> row(Row r, double adjusted) {
        Estimate d = r.paired.difference();
        List<String> row = new ArrayList<>(List.of(Table.code(r.at.task()), r.at.noise(), Table.code(r.solver),
                Integer.toString(d.n()), Integer.toString(r.paired.seeds().size()), Integer.toString(r.paired.leftOut()),
                Table.signed(d.mean(), metric.digits() + 1), interval(d, Estimate.LEVEL)));
        if (simultaneous) {
            row.add(interval(d, holm.simultaneousLevel()));
        }
        row.addAll(List.of(Table.p(d.p()), Table.p(adjusted), mark(d, adjusted)));
        return row;
    }

    private String interval(Estimate d, double level) {
        double half = d.halfWidth(level);
        return Double.isNaN(half) ? Table.NONE : "[" + Table.signed(d.mean() - half, metric.digits() + 1) + ", "
                + Table.signed(d.mean() + half, metric.digits() + 1) + "]";
    }

    private String mark(Estimate d, double adjusted) {
        if (!(adjusted < Holm.ALPHA)) {
            return "";
        }
        return metric.better() == Metric.Better.NEITHER ? d.mean() > 0 ? "higher" : "lower"
                : metric.gain(d.mean(), 0) > 0 ? "better" : "worse";
    }

    private List<String> caption() {
        SortedSet<Long> seeds = new TreeSet<>();
        rows.forEach(r -> seeds.addAll(r.paired.seeds()));
        List<String> caption = new ArrayList<>();
        caption.add("Mean " + metric.label() + " of the solver less that of " + Table.code(against) + ", paired over "
                + Section.count(rows.stream().map(r -> r.paired.difference().n()).toList(), "picture") + " ("
                + Section.seeds(seeds) + "), each averaged over its seeds first. " + metric.direction());
        caption.add("The intervals are Student's t over pictures, two-sided at 95 %, each on its own: they are not corrected "
                + "for the number of comparisons.");
        if (simultaneous) {
            caption.add("The simultaneous intervals are Bonferroni's: together they hold with 95 %, each alone with "
                    + String.format(Locale.ROOT, "%.3f", 100 * holm.simultaneousLevel()) + " %.");
        }
        caption.add("p (Holm) is corrected in the family '" + holm.family() + "' of "
                + Section.count(List.of(holm.count()), "comparison") + "; the last column says "
                + (metric.better() == Metric.Better.NEITHER ? "higher or lower" : "better or worse") + " where it is below 0.05. "
                + "An interval without zero beside an empty decision is no contradiction, since intervals are not corrected.");
        return caption;
    }

    /** The heads of the rows of {@link #csv}; those of the simultaneous intervals follow if they are asked for. */
    static List<String> heads(boolean simultaneous) {
        List<String> heads = new ArrayList<>(List.of("metric", "against", "task", "noise", "solver", "pictures", "seeds",
                "left_out", "difference", "sd", "ci95_low", "ci95_high", "p", "p_holm", "comparisons", "mark"));
        if (simultaneous) {
            heads.addAll(List.of("simultaneous_low", "simultaneous_high"));
        }
        return heads;
    }

    List<List<String>> csv() {
        List<Double> adjusted = holm.adjusted();
        List<List<String>> table = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Row r = rows.get(i);
            Estimate d = r.paired.difference();
            List<String> row = new ArrayList<>(List.of(metric.name(), against, r.at.task(), r.at.noise(), r.solver,
                    Integer.toString(d.n()), Integer.toString(r.paired.seeds().size()), Integer.toString(r.paired.leftOut()),
                    Table.exact(d.mean()), Table.exact(d.sd()), Table.exact(d.low()), Table.exact(d.high()), Table.exactP(d.p()),
                    Table.exactP(adjusted.get(i)), Integer.toString(holm.count()), mark(d, adjusted.get(i))));
            if (simultaneous) {
                double half = d.halfWidth(holm.simultaneousLevel());
                row.addAll(List.of(Table.exact(d.mean() - half), Table.exact(d.mean() + half)));
            }
            table.add(row);
        }
        return table;
    }
}
