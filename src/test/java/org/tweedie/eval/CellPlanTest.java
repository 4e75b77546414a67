// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tweedie.measure.NoiseModel;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Shape;

class CellPlanTest {
    private static final Shape IMAGE = Shape.of(1, 32, 32, 3);
    private static final List<String> PICTURES = List.of("a.png", "b.png");

    private static CellPlan plan(List<String> tasks, List<Double> sigmas, List<Long> seeds, String... solvers) {
        return CellPlan.of(PICTURES, Degradation.of(tasks, sigmas), seeds, List.of(solvers), IMAGE);
    }

    private static String fault(List<String> tasks, List<Double> sigmas, List<Long> seeds, String... solvers) {
        return assertThrows(IllegalArgumentException.class, () -> plan(tasks, sigmas, seeds, solvers)).getMessage();
    }

    /** The whole list is written down for two pictures: pictures vary fastest, then solvers, seeds, noises, tasks. */
    @Test
    void tasksAreOutermostAndPicturesInnermost() {
        List<String> lines = plan(List.of("sr:4", "denoise@salt-pepper:0.02"), List.of(0.01, 0.5), List.of(1L, 7L), "ldps").keys()
                .stream().map(k -> String.join(" ", k.task(), k.noise(), Long.toString(k.seed()), k.solver(), k.picture()))
                .toList();
        List<String> expected = new ArrayList<>();
        for (String noise : List.of("sr:4 gaussian:0.01", "sr:4 gaussian:0.5", "denoise salt-pepper:0.02")) {
            for (String seed : List.of("1", "7")) {
                for (String solver : List.of("measurement", "pinv", "autoencoder", "ldps")) {
                    if (!(noise.startsWith("sr:4") && solver.equals("measurement"))) { // its y has another size
                        expected.add(noise + " " + seed + " " + solver + " a.png");
                        expected.add(noise + " " + seed + " " + solver + " b.png");
                    }
                }
            }
        }
        assertEquals(expected, lines);
        assertEquals(2 * (3 + 3 + 4) * 2, lines.size());
    }

    /** A task with two noises is one block, so that its programs are compiled once. */
    @Test
    void aTaskIsOneBlock() {
        List<String> tasks = plan(List.of("denoise", "sr:2", "denoise@gaussian:0.3"), List.of(0.1), List.of(1L)).keys().stream()
                .map(k -> k.task() + " " + k.noise()).distinct().toList();
        assertEquals(List.of("denoise gaussian:0.1", "denoise gaussian:0.3", "sr:2 gaussian:0.1"), tasks);
    }

    @Test
    void noisesHaveOneSpelling() {
        assertEquals(List.of(new Degradation("sr:4", "gaussian:0.1"), new Degradation("sr:4", "gaussian:2"),
                new Degradation("blur:3", "salt-pepper:0.5"), new Degradation("inpaint:a@b.png", "gaussian:0.02")),
                List.of(Degradation.of(List.of("sr:4@gaussian:0.10"), List.of()).getFirst(),
                Degradation.of(List.of("sr:4"), List.of(2.0)).getFirst(),
                Degradation.of(List.of("blur:3@salt-pepper:.5"), List.of(0.1)).getFirst(),
                Degradation.of(List.of("inpaint:a@b.png"), List.of(0.02)).getFirst()));
        assertEquals(new NoiseModel.Gaussian(0.1), Degradation.model("gaussian:0.1"));
        assertEquals(new NoiseModel.SaltPepper(0.02), Degradation.model("salt-pepper:0.02"));
    }

    @Test
    void badNoisesAreRefused() {
        for (String noise : List.of("gaussian", "gaussian:", "gaussian:0", "gaussian:-1", "gaussian:NaN", "gaussian:x", "0.1", "",
                "poisson:3")) {
            String message = fault(List.of("sr:4@" + noise), List.of(), List.of(1L));
            assertTrue(message.startsWith("noise '" + noise + "': expected gaussian:SIGMA with a positive sigma"), message);
        }
        assertTrue(fault(List.of("sr:4@salt-pepper:2"), List.of(), List.of(1L)).contains("between 0 and 1"));
        assertTrue(fault(List.of("sr:4"), List.of(0.0), List.of(1L)).startsWith("noise 'gaussian:0.0'"));
    }

    @Test
    void wrongTasksSolversAndDuplicatesAreRefused() {
        assertTrue(fault(List.of("sr:5"), List.of(0.1), List.of(1L)).contains("sr:5"));
        assertTrue(fault(List.of("sr:4"), List.of(0.1), List.of(1L), "ldsp").contains("solver 'ldsp': unknown"));
        assertTrue(fault(List.of("sr:4"), List.of(0.1), List.of(1L), "ldps:rho=-1").contains("rho: expected 0 or more"));
        String twice = "two cells are equal: a.png, sr:4, gaussian:0.1, ";
        assertTrue(fault(List.of("sr:4", "sr:4@gaussian:0.1"), List.of(0.1), List.of(1L)).startsWith(twice + "pinv, seed 1"));
        assertTrue(fault(List.of("sr:4"), List.of(0.1), List.of(3L, 3L)).startsWith(twice + "pinv, seed 3"));
        assertTrue(fault(List.of("sr:4"), List.of(0.1), List.of(1L), "ldps", "ldps").startsWith(twice + "ldps, seed 1"));
    }

    /** Cells come in the order in which they were made; what the plan returns is in its own order and has no other cells. */
    @Test
    void selectsInItsOwnOrder() {
        CellPlan plan = plan(List.of("sr:4", "denoise"), List.of(0.01), List.of(1L), "ldps");
        List<Cell> cells = new ArrayList<>();
        plan.keys().forEach(k -> cells.add(new Cell(k, Map.of(), Map.of(), 0)));
        List<Cell> shuffled = new ArrayList<>(cells);
        shuffled.add(new Cell(new Cell.Key("z.png", "sr:4", "gaussian:0.01", "ldps", 1), Map.of(), Map.of(), 0));
        Collections.shuffle(shuffled, new Random(5));
        assertEquals(cells, plan.select(shuffled));
        assertEquals(List.of(), plan.missing(shuffled));
        shuffled.remove(cells.get(3));
        shuffled.remove(cells.get(1));
        assertEquals(List.of(cells.get(1).key(), cells.get(3).key()), plan.missing(shuffled));
    }

    private static Nfe evaluations(String solver) {
        return CellPlan.evaluations(new Cell.Key("a", "sr:4", "gaussian:1", solver, 1), 1);
    }

    @Test
    void evaluationsAreThoseOfTheSolverForTheTask() {
        assertEquals(Nfe.unet(5, 5).plus(Nfe.decode(6, 5)), evaluations("ldps:steps=5"));
        assertEquals(Nfe.NONE, evaluations("pinv"));
        assertEquals(new Nfe(0, 0, 0, 1, 0, 0, 1, 0), evaluations("autoencoder"));
    }
}
