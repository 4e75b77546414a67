// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.SortedSet;
import java.util.TreeSet;
import org.tweedie.eval.Cell;

/** The table of costs lists the network evaluations and seconds of a restoration. Rows that need no solver are not listed. */
final class Costs {
    /** The counts of a cell in the order of the columns. */
    private static final List<String> NAMES = List.of("nfe", "unet_forwards", "unet_vjps", "unet_jvps", "decodes", "decode_vjps",
            "decode_jvps", "encodes", "encode_vjps");
    /** The titles that the counts have in the Markdown table. */
    private static final List<String> TITLES = List.of("NFE", "UNet forwards", "UNet VJPs", "UNet JVPs", "decodes",
            "decode VJPs", "decode JVPs", "encodes", "encode VJPs");

    private final CellSet cells;
    private final List<String> solvers;

    Costs(CellSet cells) {
        this.cells = cells;
        solvers = cells.solvers().stream().filter(s -> !NaturalOrder.isBase(s)).toList();
    }

    /** Returns the sum of some counts of a cell; a count that is not there is an error of whoever made the cell. */
    static long sum(Cell cell, List<String> names) {
        return names.stream().mapToLong(n -> count(cell, n)).sum();
    }

    private static long count(Cell cell, String name) {
        Long n = cell.evaluations().get(name);
        if (n == null) {
            throw new IllegalArgumentException("the cell of " + cell.key() + " lacks the count '" + name + "', got "
                    + cell.evaluations() + "; make it anew with this version's eval");
        }
        return n;
    }

    Section section() {
        List<String> heads = new ArrayList<>(List.of("solver", "cells"));
        heads.addAll(TITLES);
        heads.add("seconds");
        SortedSet<Long> seeds = new TreeSet<>();
        SortedSet<String> pictures = new TreeSet<>();
        List<List<String>> rows = new ArrayList<>();
        for (String solver : solvers) {
            List<Cell> of = cells.cells(solver);
            of.forEach(c -> seeds.add(c.key().seed()));
            of.forEach(c -> pictures.add(c.key().picture()));
            List<String> row = new ArrayList<>(List.of(Table.code(solver), Integer.toString(of.size())));
            NAMES.forEach(n -> row.add(range(of, n)));
            row.add(Table.rounded(seconds(of), 2));
            rows.add(row);
        }
        List<String> caption = List.of("Mean network evaluations of a restoration over all cells of a solver ("
                + Section.count(List.of(pictures.size()), "picture") + ", " + Section.seeds(seeds) + ", "
                + Section.count(List.of(cells.cases().size()), "task") + "), with the least and the most in brackets where they "
                + "differ. NFE is the number that a paper would report; VJPs are pull-backs and JVPs push-forwards, in "
                + "addition to the forwards and decodes. Seconds are the mean time of the solver without compilation; they "
                + "are the only numbers of this report that change when the cells are made again. There are no comparisons.");
        return new Section("Costs", caption, new Table(heads, rows), List.of(), solvers);
    }

    private static String range(List<Cell> cells, String name) {
        LongSummaryStatistics s = cells.stream().mapToLong(c -> count(c, name)).summaryStatistics();
        return s.getMin() == s.getMax() ? Long.toString(s.getMin())
                : Table.rounded(s.getAverage(), 1) + " (" + s.getMin() + " to " + s.getMax() + ")";
    }

    private static double seconds(List<Cell> cells) {
        return Estimate.of(cells.stream().map(Cell::seconds).toList()).mean();
    }

    /** The table of costs with a row for each case and solver. */
    Table csv() {
        List<String> heads = new ArrayList<>(List.of("task", "noise", "solver", "cells"));
        heads.addAll(NAMES);
        heads.add("seconds");
        List<List<String>> rows = new ArrayList<>();
        for (CellSet.Case at : cells.cases()) {
            for (String solver : solvers) {
                List<Cell> of = cells.cells(at, solver);
                if (!of.isEmpty()) {
                    List<String> row = new ArrayList<>(List.of(at.task(), at.noise(), solver, Integer.toString(of.size())));
                    NAMES.forEach(n -> row.add(Table.exact(of.stream().mapToLong(c -> count(c, n)).average().orElseThrow())));
                    row.add(Table.exact(seconds(of)));
                    rows.add(row);
                }
            }
        }
        return new Table(heads, rows);
    }
}
