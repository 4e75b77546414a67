// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hipparchus.distribution.discrete.BinomialDistribution;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tweedie.eval.Cell;
import org.tweedie.program.Philox;

/**
 * Solvers that are all equal: each cell's PSNR is its picture's difficulty and noise. A family of their comparisons may have a
 * rejection with probability 0.05 at most. In 1000 families the number of those with a rejection is then, in the worst case,
 * binomial with p = 0.05: mean 50, standard deviation 6.9, and at most 73 with probability 0.999.
 */
class FalseAlarmTest {
    private static final int FAMILIES = 1000;
    private static final int PICTURES = 6;
    private static final List<String> SOLVERS = List.of("base", "p", "q", "r", "s");
    private static final List<String> TASKS = List.of("sr:4", "blur:3");
    private static final Metric PSNR = Metric.of("psnr");

    private static int most;
    private static final List<Differences> DIFFERENCES = new ArrayList<>();
    private static final List<Means> MEANS = new ArrayList<>();

    @BeforeAll
    static void draw() {
        most = new BinomialDistribution(FAMILIES, Holm.ALPHA).inverseCumulativeProbability(0.999);
        for (int i = 0; i < FAMILIES; i++) {
            CellSet cells = CellSet.of(cells(i, 0));
            DIFFERENCES.add(new Differences(cells, PSNR, "base", false));
            MEANS.add(new Means(cells, PSNR));
        }
    }

    /** @param gain what solver p has more than the others, in standard deviations of a cell */
    private static List<Cell> cells(int family, double gain) {
        float[] draws = new float[PICTURES * (1 + 2 * TASKS.size() * SOLVERS.size())];
        new Philox(11, Philox.Stream.NOISE).normals((long) family * draws.length, draws);
        List<Cell> cells = new ArrayList<>();
        int next = PICTURES;
        for (String task : TASKS) {
            for (String solver : SOLVERS) {
                for (int picture = 0; picture < PICTURES; picture++) {
                    for (long seed = 1; seed <= 2; seed++) {
                        double psnr = 25 + 3 * draws[picture] + draws[next++] + (solver.equals("p") ? gain : 0);
                        cells.add(CellBench.cell("picture" + picture, task, solver, seed, Map.of("psnr", psnr), 1));
                    }
                }
            }
        }
        return cells;
    }

    private static boolean rejects(List<Double> p) {
        return p.stream().anyMatch(x -> x < Holm.ALPHA);
    }

    @Test
    void familiesOfDifferencesRejectAtMostFivePercent() {
        long rejected = DIFFERENCES.stream().filter(d -> rejects(d.holm().adjusted())).count();
        assertTrue(rejected <= most, rejected + " of " + FAMILIES + " families have a rejection, expected at most " + most);
        assertTrue(rejected >= 20, rejected + " rejections: so few that the p values must be too large");
    }

    /** Without the correction of the eight comparisons far more families have a rejection: the test above can fail. */
    @Test
    void uncorrectedFamiliesRejectMore() {
        long rejected = DIFFERENCES.stream().filter(d -> rejects(d.holm().p())).count();
        assertTrue(rejected > 3 * most, rejected + " of " + FAMILIES);
    }

    @Test
    void theBestSolverIsMarkedInAtMostFivePercent() {
        long rejected = MEANS.stream().filter(m -> rejects(m.holm().adjusted())).count();
        assertTrue(rejected <= most, rejected + " of " + FAMILIES);
    }

    /**
     * A gain of four standard deviations of a cell is 4 sqrt(12 / 2) = 9.8 standard errors of a mean over six pictures and two
     * seeds on both sides: it is found nearly always.
     */
    @Test
    void aRealDifferenceIsFound() {
        int found = 0;
        for (int i = 0; i < 100; i++) {
            found += rejects(new Differences(CellSet.of(cells(i, 4)), PSNR, "base", false).holm().adjusted()) ? 1 : 0;
        }
        assertTrue(found >= 95, found + " of 100");
    }
}
