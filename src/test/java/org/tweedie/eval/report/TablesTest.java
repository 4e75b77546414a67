// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.eval.Cell;
import org.tweedie.solve.Solvers;

class TablesTest {
    private static final Metric PSNR = Metric.of("psnr");

    /** The PSNR of each solver on pictures a, b, c, ... */
    private static List<Cell> cells(String task, Map<String, double[]> psnr) {
        List<Cell> cells = new ArrayList<>();
        psnr.forEach((solver, values) -> {
            for (int i = 0; i < values.length; i++) {
                cells.add(CellBench.cell(Character.toString('a' + i), task, solver, values[i], 100));
            }
        });
        return cells;
    }

    private static String cell(Table t, int row, String column) {
        return t.rows().get(row).get(t.columns().indexOf(column));
    }

    /**
     * Differences 1, 2, 3: mean 2, sd 1, half width 4.303 / sqrt(3) = 2.484; t = 2 sqrt(3) with two degrees of freedom has p =
     * 1 - t / sqrt(2 + t^2) = 0.0742. Differences 2, 2.1, 2.2: sd 0.1, t = 21 sqrt(3), p = 1 - sqrt(1323 / 1325) = 0.00075.
     */
    @Test
    void differencesAreThoseWorkedOutByHand() {
        CellSet cells = CellSet.of(cells("sr:4", Map.of("base", new double[] {20, 24, 28}, "x", new double[] {21, 26, 31},
                "y", new double[] {22, 26.1, 30.2})));
        Section s = new Differences(cells, PSNR, "base", true).section();
        Table t = s.table();
        assertEquals(2, t.rows().size());
        assertEquals("+2.000", cell(t, 0, "difference"));
        assertEquals("[-0.484, +4.484]", cell(t, 0, "95 % interval"));
        assertEquals("0.0742", cell(t, 0, "p"));
        assertEquals("0.0742", cell(t, 0, "p (Holm)"));
        assertEquals("", cell(t, 0, "decision"));
        assertEquals("+2.100", cell(t, 1, "difference"));
        assertEquals("0.0008", cell(t, 1, "p"));
        assertEquals("0.0015", cell(t, 1, "p (Holm)"));
        assertEquals("better", cell(t, 1, "decision"));
        // the quantile of 97.5 % for one side of 0.05 / 2 is 6.205, so the half width is 0.1 * 6.205 / sqrt(3) = 0.358
        assertEquals("[+1.742, +2.458]", cell(t, 1, "simultaneous interval"));
        assertTrue(s.caption().toString().contains("over 3 pictures (seed 1)"), s.caption().toString());
        assertTrue(s.caption().toString().contains("family 'differences to base, PSNR' of 2 comparisons"));
        assertEquals(List.of(), s.notes());
    }

    /** Where lower values are better, the mark turns around; where neither is better, it does not judge. */
    @Test
    void marksFollowTheMetric() {
        List<Cell> cells = new ArrayList<>();
        for (Cell c : cells("sr:4", Map.of("base", new double[] {20, 24, 28}, "y", new double[] {22, 26.1, 30.2}))) {
            double v = c.metrics().get("psnr");
            cells.add(new Cell(c.key(), Map.of("lpips_alex", v, "residual", v), c.evaluations(), 0));
        }
        CellSet set = CellSet.of(cells);
        assertEquals("worse", cell(
                new Differences(set, Metric.of("lpips_alex"), "base", false).section().table(), 0, "decision"));
        assertEquals("higher", cell(new Differences(set, Metric.of("residual"), "base", false).section().table(), 0, "decision"));
        Table means = new Means(set, Metric.of("lpips_alex")).section().table();
        assertEquals(List.of(List.of("`base`", "**24.0000**"), List.of("`y`", "26.1000")), means.rows());
        assertEquals(List.of("24.000", "26.100"), new Means(set, Metric.of("residual")).section().table().rows().stream()
                .map(r -> r.get(1)).toList());
    }

    /** The best of a column is bold only if it is significantly better than the runner-up; the autoencoder does not compete. */
    @Test
    void theBestIsMarkedWhereItIsSignificant() {
        List<Cell> cells = new ArrayList<>(cells("sr:4", Map.of("x", new double[] {22, 26.1, 30.2},
                "y", new double[] {20, 24, 28},
                "z", new double[] {10, 10, 10})));
        cells.addAll(cells("sr:8", Map.of("x", new double[] {21, 26, 31}, "y", new double[] {20, 24, 28})));
        cells.add(CellBench.base("a", "sr:4", "autoencoder", 99));
        Means means = new Means(CellSet.of(cells), PSNR);
        assertEquals(List.of(List.of("autoencoder", "99.00 (1 of 3)", "-"), List.of("`x`", "**26.10**", "26.00"),
                List.of("`y`", "24.00", "24.00"), List.of("`z`", "10.00", "-")), means.section().table().rows());
        assertTrue(means.section().caption().toString().contains("of 2 comparisons"), means.section().caption().toString());
        List<String> x = means.csv().stream().filter(r -> r.get(3).equals("x")).findFirst().orElseThrow();
        assertEquals("y", x.get(Means.CSV.indexOf("runner_up")));
        assertEquals("best", x.get(Means.CSV.indexOf("marked")));
        // 2 (1 - sqrt(1323 / 1325)), to the six digits that are written
        assertEquals(2 * (1 - Math.sqrt(1323 / 1325.0)), Double.parseDouble(x.get(Means.CSV.indexOf("p_holm"))), 1e-8);
    }

    /**
     * Solver x lacks the hardest picture, so its own mean, 26, is above that of y, 24.5; on the pictures that both have, y is
     * better, by 1, 1.1 and 1.2: sd 0.1, t = 11 sqrt(3), p = 1 - sqrt(363 / 365) = 0.003.
     */
    @Test
    void solversAreRankedOnThePicturesThatAllHave() {
        Means means = new Means(CellSet.of(cells("sr:4", Map.of("x", new double[] {22, 26, 30, Double.NaN},
                "y", new double[] {23, 27.1, 31.2, 16.7}))), PSNR);
        assertEquals(List.of(List.of("`x`", "26.00 (3 of 4)"), List.of("`y`", "**24.50**")), means.section().table().rows());
        assertEquals(1 - Math.sqrt(363 / 365.0), means.holm().p().getFirst(), 1e-12);
    }

    @Test
    void whatIsMissingIsSaid() {
        List<Cell> cells = cells("sr:4", Map.of("base", new double[] {20, 24, 28}, "x", new double[] {21, 26, Double.NaN}));
        cells.add(CellBench.cell("a", "sr:4", "one", 7, 1));
        cells.add(CellBench.cell("d", "sr:4", "none", 7, 1));
        cells.addAll(cells("sr:8", Map.of("x", new double[] {1, 2})));
        CellSet set = CellSet.of(cells);
        Section s = new Differences(set, PSNR, "base", false).section();
        assertEquals(List.of("There is no comparison of `none` at `sr:4@gaussian:0.01`, because it has no picture and seed in "
                + "common with the baseline.",
                "`one` at `sr:4@gaussian:0.01`: 3 of 4 pairs of picture and seed, because a value is missing or not finite.",
                "`one` at `sr:4@gaussian:0.01`: the interval and the test, because there is one picture only.",
                "`x` at `sr:4@gaussian:0.01`: 2 of 4 pairs of picture and seed, because a value is missing or not finite.",
                "There is no comparison at `sr:8@gaussian:0.01`, because `base` has no values there."), s.notes());
        assertEquals(List.of("3", "2"), s.table().rows().stream().map(r -> r.get(5)).toList());
        assertEquals(List.of("-", "-", "-", ""), s.table().rows().getFirst().subList(7, 11));
        assertTrue(s.caption().toString().contains("of 1 comparison;"), s.caption().toString());
        List<String> notes = new Means(set, PSNR).section().notes();
        assertTrue(notes.contains("`x` at `sr:4@gaussian:0.01`: 2 of 4 pairs of picture and seed, which are missing or "
                + "not finite; its mean is over the others."), notes.toString());
        assertEquals("There is no comparison at `sr:4@gaussian:0.01`, because there is no picture and seed for which "
                + "all solvers have a value.", notes.getLast());
        cells.removeIf(c -> c.key().solver().equals("none"));
        notes = new Means(CellSet.of(cells), PSNR).section().notes();
        assertTrue(notes.contains("`x` against `base` at `sr:4@gaussian:0.01`: the comparison leaves out 1 pair."),
                notes.toString());
    }

    @Test
    void costsAreMeansWithTheirRange() {
        Section s = new Costs(CellSet.of(List.of(CellBench.cell("a", "sr:4", "x", 1, 100),
                CellBench.cell("b", "sr:4", "x", 1, 200),
                CellBench.cell("a", "sr:4", "y", 1, 10), CellBench.base("a", "sr:4", "pinv", 1)))).section();
        assertEquals(List.of("`x`", "2", "150.0 (100 to 200)", "150.0 (100 to 200)", "150.0 (100 to 200)", "0",
                "76.0 (51 to 101)", "75.0 (50 to 100)", "0", "1", "0", "1.50"), s.table().rows().getFirst());
        assertEquals(List.of("`y`", "1", "10", "10", "10", "0", "6", "5", "0", "1", "0", "0.10"), s.table().rows().get(1));
        Cell without = new Cell(new Cell.Key("a", "sr:4", "n", "x", 1), Map.of("psnr", 1.0), Map.of("nfe", 1L), 1);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new Costs(CellSet.of(List.of(without))).section())
                .getMessage().contains("lacks the count 'unet_forwards'"));
    }

    /** The legend has a line for each solver's name, whatever its options; rows that need no solver have none. */
    @Test
    void conventionsAreListed() {
        String psld = Solvers.catalogue().options("psld").described().conventions();
        assertTrue(psld.contains("plain norms") && psld.contains("A^T"), psld);
        assertEquals(List.of("`mine`: this version has no such solver, so its conventions are unknown.", "`psld`: " + psld),
                Conventions.of(List.of("pinv", "psld:steps=5", "psld:steps=50", "mine")));
    }

    @Test
    void textsAreQuotedAndEscaped() {
        Table t = new Table(List.of("a"), List.of(List.of("stsl:steps=1,inner=2"), List.of("say \"|\"")));
        assertEquals("a\n\"stsl:steps=1,inner=2\"\n\"say \"\"|\"\"\"\n", t.csv());
        assertEquals("| a |\n|---|\n| stsl:steps=1,inner=2 |\n| say \"\\|\" |\n", t.markdown());
        assertEquals(List.of("0.00", "+0.01", "-0.01", "0.00"), List.of(Table.signed(-0.001, 2), Table.signed(0.01, 2),
                Table.signed(-0.01, 2), Table.signed(0.001, 2)));
        assertEquals("0.000000", Table.exact(-1e-9));
    }
}
