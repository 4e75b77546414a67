// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.Model;
import org.tweedie.Session;
import org.tweedie.Tweedie;
import org.tweedie.eval.Cell;
import org.tweedie.eval.CellRunner;
import org.tweedie.eval.Degradation;
import org.tweedie.eval.Measures;
import org.tweedie.eval.Pictures;
import org.tweedie.eval.CellPlan;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.image.Png;
import org.tweedie.measure.Measurement;
import org.tweedie.model.Golden;
import org.tweedie.program.Shape;
import org.tweedie.solve.Solvers;

/** Counts how often a session compiles programs and packs weights. */
class SessionCountsTest {
    private static final String STSL = "stsl:steps=2,inner=2,term=trace";

    @TempDir
    Path folder;

    private static Image photo() throws Exception {
        Image all = ImageFile.read(Path.of("docs/longsleeve.png")).image();
        return all.crop(40, 40, 32, 32);
    }

    /**
     * A measurement and its restoration compile nine programs. Each weight is packed once in each layout that a program holds;
     * the prompt's keys
     * and values are computed before, and the weights that they need are given back.
     */
    @Test
    void aRestorationCompilesAndPacksOnce() throws Exception {
        try (CpuDevice device = new CpuDevice(2); Model model = Tweedie.open(Golden.SD15,
                device); Session session = model.session(32, 32)) {
            Measurement y = session.measure(photo(), "sr:2", 0.01, 1);
            long before = device.weights.packings();
            session.restore(y, Solvers.of(STSL));
            assertEquals(9, session.prior().compilations(), "measurement, eps, both gradients, encode, decode, residual, A, A^T");
            assertEquals(2, session.prior().folds(), "the prompt's keys and values for one sample, and for the probe's two");
            long packings = device.weights.packings();
            session.restore(y, Solvers.of(STSL), 2, s -> { });
            session.restore(session.measure(photo(), "sr:2", 0.02, 3), Solvers.of(STSL));
            assertEquals(9, session.prior().compilations());
            assertEquals(2, session.prior().folds());
            assertEquals(packings, device.weights.packings(), "another picture and another seed pack nothing");
            System.out.printf("counts: a restoration compiles %d programs, folds %d, packs %d constants%n", session.prior()
                    .compilations(),
                    session.prior().folds(), packings - before);
        }
    }

    /** Two pictures, two tasks, two solvers: the networks' programs are compiled once, and an operator's once per task. */
    @Test
    void anEvaluationCompilesOncePerTask() throws Exception {
        for (String name : List.of("a.png", "b.png")) {
            Png.write(folder.resolve(name), photo(), Map.of());
        }
        Pictures pictures = new Pictures(folder, 32, 32);
        CellPlan plan = CellPlan.of(pictures.names(0, 9), Degradation.of(List.of("sr:2", "denoise"), List.of(0.01)), List.of(1L),
                List.of(STSL + ",eta=0", STSL), Shape.of(1, 32, 32, 3));
        try (CpuDevice device = new CpuDevice(2); Model model = Tweedie.open(Golden.SD15,
                device); Session session = model.session(32, 32);
                CellRunner maker = new CellRunner(session.prior(), pictures, Measures.NONE)) {
            List<Cell> cells = new ArrayList<>();
            for (Cell.Key key : plan.keys()) {
                cells.add(maker.make(key));
            }
            int networks = 3; // eps, encode, decode
            int task = 1 + 3 + 3; // the measurement, three gradients, and residual, A and A^T of the last step
            assertEquals(networks + 2 * task, session.prior().compilations());
            assertEquals(2 * (4 + 5), cells.size(), cells.toString()); // denoise has a cell for y itself
        }
        assertEquals(2, Files.list(folder).count());
    }
}
