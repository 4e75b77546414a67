// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both ends of the line to a worker, and what becomes of an evaluation when a worker dies. */
class WorkerProcessTest {
    private static final Cell.Key KEY = key("ä 'a'.png");

    @TempDir
    Path folder;

    private static Cell.Key key(String picture) {
        return new Cell.Key(picture, "sr:4", "gaussian:0.01", "ldps", 1);
    }

    private static Cell cell(Cell.Key key) {
        return new Cell(key, Map.of("psnr", 1.25), Map.of("nfe", 3L), 0.5);
    }

    /** Starts a shell script in place of a worker; it may refer to the file of answers as $0. */
    private WorkerProcess script(String script, String... answers) throws IOException {
        Path file = Files.write(folder.resolve("answers" + script.hashCode()), List.of(answers));
        return new WorkerProcess(2, List.of("bash", "-c", script, file.toString()));
    }

    @Test
    void returnsTheCellThatTheProcessPrints() throws Exception {
        try (WorkerProcess w = script("read key; cat \"$0\"; read end", cell(KEY).line())) {
            assertEquals(cell(KEY), w.make(KEY));
        }
    }

    @Test
    void aFailedCellIsNotTheEnd() throws Exception {
        String failure = new CellFailure("latent z: \"NaN\"", null).line();
        try (WorkerProcess w = script("read key; head -n 1 \"$0\"; read key; tail -n 1 \"$0\"", failure, cell(KEY).line())) {
            assertEquals("latent z: \"NaN\"", assertThrows(CellFailure.class, () -> w.make(KEY)).getMessage());
            assertEquals(cell(KEY), w.make(KEY));
        }
    }

    @Test
    void aDeadProcessIsReportedWithTheEndOfItsErrors() throws Exception {
        try (WorkerProcess w = script("for i in $(seq 30); do echo line $i >&2; done; exit 3")) {
            String message = assertThrows(IOException.class, () -> w.make(KEY)).getMessage();
            assertTrue(message.startsWith("worker 2 ended with exit code 3 at the cell ä 'a'.png, sr:4, gaussian:0.01, ldps, "
                    + "seed 1; the end of its errors: line 11 | line 12 | "), message);
            assertTrue(message.contains(" | line 30; the cells that are done are kept"), message);
        }
        try (WorkerProcess w = script("kill -9 $$")) {
            String message = assertThrows(IOException.class, () -> w.make(KEY)).getMessage();
            assertTrue(message.startsWith("worker 2 ended with exit code 137 "), message);
            assertTrue(message.contains("; it printed no error; "), message);
        }
    }

    @Test
    void anAnswerThatIsNotTheCellIsRefused() throws Exception {
        try (WorkerProcess w = script("read key; cat \"$0\"", "nonsense")) {
            assertEquals("worker 2: expected a cell of an evaluation as JSON, got 'nonsense'",
                    assertThrows(IOException.class, () -> w.make(KEY)).getMessage());
        }
        try (WorkerProcess w = script("read key; cat \"$0\"; true", cell(key("b")).line())) {
            assertThrows(IOException.class, () -> w.make(KEY));
        }
    }

    /** A maker that calls code in place of a restoration. */
    private interface Fake extends CellMaker {
        @Override
        default void close() {}
    }

    @Test
    void theLoopAnswersEachLineAndEndsWithItsInput() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Fake maker = key -> {
            if (key.picture().equals("bad")) {
                throw new CellFailure("no", null);
            }
            return cell(key);
        };
        List<String> abandoned = new ArrayList<>();
        CountDownLatch answered = new CountDownLatch(3);
        PrintStream lines = new PrintStream(out, true, StandardCharsets.UTF_8) {
            @Override
            public void println(String line) {
                super.println(line);
                answered.countDown();
            }
        };
        PipedOutputStream keys = new PipedOutputStream();
        PipedInputStream in = new PipedInputStream(keys);
        Thread other = Thread.ofPlatform().start(() -> {
            try (keys) {
                for (Cell.Key k : List.of(KEY, key("bad"), key("c"))) {
                    keys.write((k.line() + "\n").getBytes(StandardCharsets.UTF_8));
                }
                keys.flush();
                assertTrue(answered.await(20, TimeUnit.SECONDS));
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        new WorkerLoop(maker, lines, () -> abandoned.add("yes")).run(in);
        other.join();
        assertEquals(cell(KEY).line() + "\n{\"failed\":\"no\"}\n" + cell(key("c")).line() + "\n",
                out.toString(StandardCharsets.UTF_8));
        assertEquals(List.of(), abandoned);
    }

    /** Where the input ends while a cell is made, nobody waits for the cell. */
    @Test
    void theLoopAbandonsACellWhenItsInputEnds() throws Exception {
        CountDownLatch abandoned = new CountDownLatch(1);
        Fake maker = key -> {
            try {
                assertTrue(abandoned.await(20, TimeUnit.SECONDS), "the end of the input was not noticed");
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return cell(key);
        };
        new WorkerLoop(maker, new PrintStream(new ByteArrayOutputStream()), abandoned::countDown).run(new ByteArrayInputStream(
                (KEY.line() + "\n").getBytes(StandardCharsets.UTF_8)));
        assertEquals(0, abandoned.getCount());
    }

    /** Notes what an evaluation reports. */
    private static final class Notebook implements Evaluation.Watcher {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void done(Cell.Key key, double seconds) {
            lines.add(key.picture());
        }

        @Override
        public void failed(Cell.Key key, CellFailure failure) {
            lines.add("failed " + failure.getMessage());
        }
    }

    private static CellPlan plan(int pictures) {
        List<Cell.Key> keys = new ArrayList<>();
        for (int i = 0; i < pictures; i++) {
            keys.add(key("p" + i));
        }
        return new CellPlan(keys);
    }

    private CellFile file() throws IOException {
        return CellFile.open(folder.resolve("cells"), new Setting(Map.of("a", "b")));
    }

    @Test
    void aFailedCellDoesNotStopTheOthersAndIsTriedAgain() throws Exception {
        CellPlan plan = plan(4);
        Notebook notes = new Notebook();
        try (CellFile file = file()) {
            Fake bad = key -> {
                if (key.picture().equals("p1")) {
                    throw new CellFailure("p1 is bad", null);
                }
                return cell(key);
            };
            String message = assertThrows(IllegalStateException.class, () ->
                    new Evaluation(plan, file, List.of(bad), notes).run()).getMessage();
            assertTrue(message.startsWith("1 of 4 cells failed, as reported above; the other 3 are in the file"), message);
            assertEquals(List.of("p0", "failed p1 is bad", "p2", "p3"), notes.lines);
            Fake good = WorkerProcessTest::cell;
            new Evaluation(plan, file, List.of(good), notes).run();
            assertEquals("p1", notes.lines.getLast());
            assertEquals(5, notes.lines.size());
            assertEquals(plan.keys(), plan.select(file.cells()).stream().map(Cell::key).toList());
        }
    }

    /** The death of a worker ends the evaluation at once, although the other one is in the middle of a cell. */
    @Test
    void aDeadWorkerEndsTheEvaluation() throws Exception {
        try (CellFile file = file(); WorkerProcess dead = script("read key; sleep 0.3; echo broken >&2; exit 4");
                WorkerProcess slow = script("read key; cat \"$0\"; read key; sleep 1000 & wait_for=$!; read end; kill $wait_for",
                        cell(key("p0")).line())) {
            long start = System.nanoTime();
            String message = assertThrows(IOException.class, () ->
                    new Evaluation(plan(8), file, List.of(slow, dead), new Notebook()).run()).getMessage();
            assertTrue(message.contains("exit code 4") && message.contains("broken"), message);
            assertTrue(System.nanoTime() - start < 60e9);
            assertFalse(file.cells().size() > 1, file.cells().toString());
        }
    }
}
