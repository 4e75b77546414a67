// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The means of a metric for each case and solver. In each case the best solver is compared with the runner-up; the comparisons
 * of all cases are a family. The two are found on the pairs of picture and seed for which all solvers have a value, since means
 * over different pictures do not rank solvers.
 */
final class Means {
    /**
     * A mean.
     *
     * @param missing the pairs of picture and seed of the case for which the solver has no value
     */
    private record Entry(CellSet.Case at, String solver, Estimate estimate, SortedSet<Long> seeds, int missing, int trials) {}

    /** The best solver of a case. */
    private record Best(CellSet.Case at, String solver, String runnerUp, Paired paired) {}

    private final CellSet cells;
    private final Metric metric;
    private final List<Entry> entries = new ArrayList<>();
    private final List<Best> best = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Holm holm;

    Means(CellSet cells, Metric metric) {
        this.cells = cells;
        this.metric = metric;
        for (CellSet.Case at : cells.cases()) {
            cells.solvers().forEach(s -> enter(at, s));
            compare(at);
        }
        holm = new Holm("best solver against runner-up, " + metric.title(), best.stream().map(b -> b.paired.difference().p())
                .toList());
    }

    private void enter(CellSet.Case at, String solver) {
        SortedMap<Trial, Double> values = cells.values(at, solver, metric.name());
        if (!values.isEmpty()) {
            SortedSet<Long> seeds = new TreeSet<>();
            values.keySet().forEach(t -> seeds.add(t.seed()));
            int trials = cells.trials(at).size();
            entries.add(new Entry(at, solver, Estimate.of(Trial.byPicture(values).values()), seeds, trials - values.size(),
                    trials));
        }
    }

    private void compare(CellSet.Case at) {
        SortedMap<String, SortedMap<Trial, Double>> values = new TreeMap<>(new NaturalOrder());
        entries.stream().filter(e -> e.at.equals(at) && !NaturalOrder.isBase(e.solver))
                .forEach(e -> values.put(e.solver, cells.values(at, e.solver, metric.name())));
        if (metric.better() == Metric.Better.NEITHER || values.size() < 2) {
            return;
        }
        SortedSet<Trial> common = new TreeSet<>(cells.trials(at));
        values.values().forEach(v -> common.retainAll(v.keySet()));
        if (common.isEmpty()) {
            notes.add("There is no comparison at " + Table.code(at.text()) + ", because there is no picture and seed "
                    + "for which all solvers have a value.");
            return;
        }
        List<String> ranked = values.keySet().stream()
                .sorted(Comparator.comparingDouble(s -> metric.gain(0, mean(values.get(s), common)))).toList();
        best.add(new Best(at, ranked.get(0), ranked.get(1), Paired.of(values.get(ranked.get(0)), values.get(ranked.get(1)),
                cells.trials(at))));
    }

    private static double mean(SortedMap<Trial, Double> values, SortedSet<Trial> common) {
        SortedMap<Trial, Double> some = new TreeMap<>(values);
        some.keySet().retainAll(common);
        return Estimate.of(Trial.byPicture(some).values()).mean();
    }

    /** Returns true if the solver is significantly better than the runner-up, on the pictures that both have. */
    private boolean isMarked(CellSet.Case at, String solver) {
        for (int i = 0; i < best.size(); i++) {
            Best b = best.get(i);
            if (b.at.equals(at) && b.solver.equals(solver)) {
                return holm.adjusted().get(i) < Holm.ALPHA && metric.gain(b.paired.difference().mean(), 0) > 0;
            }
        }
        return false;
    }

    /** The p values of best solver against runner-up, in the order of the cases. */
    Holm holm() {
        return holm;
    }

    Section section() {
        List<String> heads = new ArrayList<>(List.of("solver"));
        cells.cases().forEach(c -> heads.add(Table.code(c.task()) + " " + c.noise()));
        List<List<String>> rows = new ArrayList<>();
        for (String solver : cells.solvers()) {
            List<String> row = new ArrayList<>(List.of(NaturalOrder.isBase(solver) ? solver : Table.code(solver)));
            cells.cases().forEach(c -> row.add(entries.stream().filter(e -> e.at.equals(c) && e.solver.equals(solver)).findFirst()
                    .map(this::text).orElse(Table.NONE)));
            rows.add(row);
        }
        return new Section("Means: " + metric.title(), caption(), new Table(heads, rows), notes(), cells.solvers());
    }

    private String text(Entry e) {
        String mean = Table.rounded(e.estimate.mean(), metric.digits());
        return (isMarked(e.at, e.solver) ? "**" + mean + "**" : mean)
                + (e.missing == 0 ? "" : " (" + (e.trials - e.missing) + " of " + e.trials + ")");
    }

    private List<String> caption() {
        SortedSet<Long> seeds = new TreeSet<>();
        entries.forEach(e -> seeds.addAll(e.seeds));
        List<String> caption = new ArrayList<>(List.of("Mean " + metric.label() + " over "
                + Section.count(entries.stream().map(e -> e.estimate.n()).toList(), "picture") + " (" + Section.seeds(seeds)
                + "), each averaged over its seeds first. " + metric.direction()));
        if (metric.better() == Metric.Better.NEITHER) {
            caption.add("So no value is marked as the best, and there are no comparisons.");
        } else {
            caption.add("Bold is the best solver of a column if it differs from the runner-up, paired by picture and seed, with "
                    + "p < 0.05 after Holm's correction in the family '" + holm.family() + "' of "
                    + Section.count(List.of(holm.count()), "comparison") + ", one for each column with two solvers or more. The "
                    + "rows measurement, pinv and autoencoder are not compared. Best and runner-up are those on the "
                    + "pairs for which all solvers of the column have a value.");
        }
        caption.add("A dash stands where there is no value, and brackets where some pairs of picture and seed have none.");
        return caption;
    }

    private List<String> notes() {
        List<String> all = new ArrayList<>();
        for (Entry e : entries) {
            if (e.missing > 0) {
                all.add(Table.code(e.solver) + " at " + Table.code(e.at.text()) + ": " + e.missing + " of " + e.trials
                        + " pairs of picture and seed, which are missing or not finite; its mean is over the others.");
            }
        }
        for (Best b : best) {
            if (b.paired.leftOut() > 0) {
                all.add(Table.code(b.solver) + " against " + Table.code(b.runnerUp) + " at " + Table.code(b.at.text())
                        + ": the comparison leaves out " + Section.count(List.of(b.paired.leftOut()), "pair") + ".");
            }
        }
        all.addAll(notes);
        return all;
    }

    /** The heads of the rows of {@link #csv}. */
    static final List<String> CSV = List.of("metric", "task", "noise", "solver", "pictures", "seeds", "missing", "mean", "sd",
            "ci95_low", "ci95_high", "runner_up", "p_holm", "comparisons", "marked");

    List<List<String>> csv() {
        List<Double> adjusted = holm.adjusted();
        List<List<String>> rows = new ArrayList<>();
        for (Entry e : entries) {
            List<String> row = new ArrayList<>(List.of(metric.name(), e.at.task(), e.at.noise(), e.solver,
                    Integer.toString(e.estimate.n()), Integer.toString(e.seeds.size()), Integer.toString(e.missing),
                    Table.exact(e.estimate.mean()), Table.exact(e.estimate.sd()), Table.exact(e.estimate.low()),
                    Table.exact(e.estimate.high())));
            int i = best.stream().map(b -> b.at.equals(e.at) && b.solver.equals(e.solver)).toList().indexOf(true);
            row.addAll(i < 0 ? List.of("", "", "", "") : List.of(best.get(i).runnerUp, Table.exactP(adjusted.get(i)),
                    Integer.toString(holm.count()), isMarked(e.at, e.solver) ? "best" : ""));
            rows.add(row);
        }
        return rows;
    }
}
