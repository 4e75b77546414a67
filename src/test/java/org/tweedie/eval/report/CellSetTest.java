// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.eval.Cell;

class CellSetTest {
    @TempDir
    Path folder;

    /** Solver-less rows first, then names; numbers in names count as numbers. */
    @Test
    void theOrderIsThatOfTables() {
        CellSet cells = CellSet.of(List.of(CellBench.cell("a", "sr:16", "stsl:steps=50", 1, 1),
                CellBench.cell("a", "sr:8", "x", 1, 1), CellBench.cell("a", "sr:8", "stsl:steps=250", 1, 1),
                CellBench.cell("a", "sr:8", "stsl:eta=0.2", 1, 1), CellBench.cell("a", "sr:8", "stsl:eta=0.15", 1, 1),
                CellBench.base("a", "sr:8", "autoencoder", 1),
                CellBench.base("a", "sr:8", "pinv", 1), CellBench.cell("a", "blur:3", "stsl", 1, 1)));
        assertEquals(List.of("pinv", "autoencoder", "stsl", "stsl:eta=0.15", "stsl:eta=0.2", "stsl:steps=50",
                "stsl:steps=250", "x"), cells.solvers());
        assertEquals(List.of("blur:3", "sr:8", "sr:16"), cells.cases().stream().map(CellSet.Case::task).toList());
        assertEquals(List.of("sr:16", "blur:3"), cells.select(List.of("sr:16", "blur:3@gaussian:0.01")).cases().stream()
                .map(CellSet.Case::task).toList());
        assertEquals("--tasks 'sr:9': unknown", message(() -> cells.select(List.of("sr:9"))).split(";")[0]);
    }

    private static String message(Executable e) {
        return assertThrows(IllegalArgumentException.class, e).getMessage();
    }

    @Test
    void equalCellsCountOnceAndDifferentOnesAreRefused() {
        Cell first = CellBench.cell("a", "sr:4", "x", 20, 1);
        Cell slower = new Cell(first.key(), first.metrics(), first.evaluations(), 9);
        CellSet cells = CellSet.of(List.of(first, slower));
        assertEquals(1, cells.size());
        assertEquals(first.seconds(), cells.cells("x").getFirst().seconds());
        assertTrue(message(() -> CellSet.of(List.of(first, CellBench.cell("a", "sr:4", "x", 21, 1))))
                .startsWith("two cells of a, sr:4, gaussian:0.01, x, seed 1 differ: {psnr=20.0} and {psnr=21.0}"));
        assertTrue(message(() -> CellSet.of(List.of())).startsWith("expected cells of an evaluation, got none"));
    }

    @Test
    void valuesThatAreNotFiniteAreNotThere() {
        CellSet cells = CellSet.of(List.of(CellBench.cell("a", "sr:4", "x", Double.NaN, 1),
                CellBench.cell("b", "sr:4", "x", Double.POSITIVE_INFINITY, 1), CellBench.cell("c", "sr:4", "x", 3, 1)));
        CellSet.Case at = cells.cases().getFirst();
        assertEquals(new TreeMap<>(Map.of(new Trial("c", 1), 3.0)), cells.values(at, "x", "psnr"));
        assertEquals(3, cells.trials(at).size());
    }

    @Test
    void filesHaveASettingAndCells() throws IOException {
        Cell a = CellBench.cell("a", "sr:4", "x", 20, 1);
        Cell b = CellBench.cell("b", "sr:4", "x", 20, 1);
        Path one = write("one.jsonl", "{\"evaluation\":{\"size\":\"32\",\"device\":\"cpu\"}}\n" + a.line() + "\n");
        Path two = write("two.jsonl", b.line() + "\n" + a.line().substring(0, 30));
        CellReader read = CellReader.read(List.of(one, two));
        assertEquals(List.of(a, b), read.cells());
        assertEquals(Set.of("device cpu, size 32"), read.settings());
        assertEquals(List.of("The last line of two.jsonl has no end, so it is left out."), read.notes());
    }

    @Test
    void aLineThatIsNoCellIsNamed() throws IOException {
        String line = CellBench.cell("a", "sr:4", "x", 20, 1).line() + "\n";
        Path second = write("x.jsonl", line + "{\"evaluation\":{}}\n");
        assertTrue(message(() -> CellReader.read(List.of(second))).startsWith(second + ", line 2: expected a cell"));
        Path text = write("x.csv", "picture,task\n");
        assertTrue(message(() -> CellReader.read(List.of(text))).startsWith(text + ", line 1: expected a cell"));
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
