// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tweedie.eval.Cell;
import org.tweedie.options.Spelling;

/**
 * The cells of a report, in an order that does not depend on the order in which they were made or read.
 *
 * <p>The cells of tasks that need no solver are made by every evaluation, so a cell may be there several times. Equal ones count
 * once; the first gives the seconds.
 */
public final class CellSet {
    /**
     * A task with a noise: what a column or a row of a table is about.
     *
     * @param task for example {@code sr:4}
     * @param noise for example {@code gaussian:0.01}
     */
    public record Case(String task, String noise) {
        /** Returns the case as {@code TASK@NOISE}, which the option {@code --tasks} reads. */
        String text() {
            return task + "@" + noise;
        }
    }

    private final Map<Case, SortedMap<String, SortedMap<Trial, Cell>>> cases;

    private CellSet(Map<Case, SortedMap<String, SortedMap<Trial, Cell>>> cases) {
        this.cases = cases;
    }

    /**
     * Orders cells.
     *
     * @throws IllegalArgumentException when two cells have one key and differ in their metrics or counts, or there is no cell
     */
    public static CellSet of(Collection<Cell> cells) {
        NaturalOrder natural = new NaturalOrder();
        SortedMap<Case, SortedMap<String, SortedMap<Trial, Cell>>> cases = new TreeMap<>((a, b) -> {
            int c = natural.compare(a.task, b.task);
            return c != 0 ? c : natural.compare(a.noise, b.noise);
        });
        for (Cell c : cells) {
            Cell.Key k = c.key();
            Cell old = cases.computeIfAbsent(new Case(k.task(), k.noise()), x -> new TreeMap<>(natural))
                    .computeIfAbsent(k.solver(), x -> new TreeMap<>()).putIfAbsent(new Trial(k.picture(), k.seed()), c);
            if (old != null && !(old.metrics().equals(c.metrics()) && old.evaluations().equals(c.evaluations()))) {
                throw new IllegalArgumentException("two cells of " + k.picture() + ", " + k.task() + ", " + k.noise() + ", "
                        + k.solver() + ", seed " + k.seed() + " differ: " + old.metrics() + " and " + c.metrics()
                        + "; they were made with different settings, so report their files one at a time");
            }
        }
        if (cases.isEmpty()) {
            throw new IllegalArgumentException("expected cells of an evaluation, got none; name a file with a line for "
                    + "each cell");
        }
        return new CellSet(cases);
    }

    /**
     * Returns the cells of some tasks, in the order in which the tasks are named.
     *
     * @param tasks each is {@code TASK}, for all its noises, or {@code TASK@NOISE}
     * @throws IllegalArgumentException when there are no cells of a task
     */
    public CellSet select(List<String> tasks) {
        Set<String> known = new LinkedHashSet<>();
        cases.keySet().forEach(c -> known.add(c.task));
        cases.keySet().forEach(c -> known.add(c.text()));
        Map<Case, SortedMap<String, SortedMap<Trial, Cell>>> selected = new LinkedHashMap<>();
        for (String task : tasks) {
            Spelling.check("--tasks", task, known);
            cases.forEach((at, cells) -> {
                if (task.equals(at.task) || task.equals(at.text())) {
                    selected.put(at, cells);
                }
            });
        }
        return new CellSet(selected);
    }

    /** The tasks with their noises. */
    public List<Case> cases() {
        return List.copyOf(cases.keySet());
    }

    /** The solvers of all cases, first those rows that need none. */
    public List<String> solvers() {
        SortedSet<String> solvers = new TreeSet<>(new NaturalOrder());
        cases.values().forEach(c -> solvers.addAll(c.keySet()));
        return List.copyOf(solvers);
    }

    /** The names of the metrics that cells have. */
    public SortedSet<String> metrics() {
        SortedSet<String> names = new TreeSet<>();
        cases.values().forEach(c -> c.values().forEach(t -> t.values().forEach(cell -> names.addAll(cell.metrics().keySet()))));
        return names;
    }

    /** The pairs of picture and seed of a case, of whatever solver. */
    public SortedSet<Trial> trials(Case at) {
        SortedSet<Trial> trials = new TreeSet<>();
        cases.get(at).values().forEach(t -> trials.addAll(t.keySet()));
        return trials;
    }

    /** The cells of a solver in a case; empty if there are none. */
    public List<Cell> cells(Case at, String solver) {
        return List.copyOf(cases.get(at).getOrDefault(solver, new TreeMap<>()).values());
    }

    /** The cells of a solver in all cases. */
    public List<Cell> cells(String solver) {
        List<Cell> all = new ArrayList<>();
        cases().forEach(c -> all.addAll(cells(c, solver)));
        return all;
    }

    /** The number of cells. */
    public int size() {
        return solvers().stream().mapToInt(s -> cells(s).size()).sum();
    }

    /** The values of a metric; a value that is not finite is left out, as one that is not there. */
    public SortedMap<Trial, Double> values(Case at, String solver, String metric) {
        SortedMap<Trial, Double> values = new TreeMap<>();
        cases.get(at).getOrDefault(solver, new TreeMap<>()).forEach((t, cell) -> {
            Double v = cell.metrics().get(metric);
            if (v != null && Double.isFinite(v)) {
                values.put(t, v);
            }
        });
        return values;
    }
}
