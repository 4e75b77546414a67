// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.eval.Cell;
import org.tweedie.eval.CellFile;
import org.tweedie.eval.SavedPictures;
import org.tweedie.eval.WorkerProcess;
import org.tweedie.image.Png;

/** The command eval, in this process on a tiny model, and in processes of its own that are killed on the demo model. */
class EvalTest {
    private static final String DEMO = "weights-tools/demo-model";

    @TempDir
    Path folder;

    @BeforeEach
    void pictures() throws IOException {
        Files.createDirectory(folder.resolve("photos"));
        Png.write(folder.resolve("photos/a.png"), Cli.picture(32, 32), Map.of());
        Png.write(folder.resolve("photos/b.png"), Cli.picture(64, 32 * 2), Map.of());
    }

    /** Returns the words of an eval of the pictures at 32 x 32 with one thread in each process. */
    private String[] words(String model, String out, String... more) {
        List<String> words = new ArrayList<>(List.of("eval", Cli.in(folder, "photos"), "--model", model, "--size", "32",
                "--threads", "1", "-o", Cli.in(folder, out)));
        words.addAll(List.of(more));
        return words.toArray(String[]::new);
    }

    private Cli tiny(String out, String... more) {
        return Cli.run(words(Cli.TINY, out, more));
    }

    private List<Cell> cells(String out) throws IOException {
        return CellFile.read(folder.resolve(out).resolve("cells.jsonl")).cells();
    }

    private String results(String out) throws IOException {
        return Files.readString(folder.resolve(out).resolve("results.csv"));
    }

    /** A second call makes nothing anew; one that asks for more makes what is missing; one that asks for less shows less. */
    @Test
    void keepsWhatIsThere() throws IOException {
        Cli first = tiny("out", "--tasks", "sr:2", "--solver", "ldps:steps=1");
        assertEquals(0, first.code(), first.err());
        assertEquals("6", first.words().get("cells"));
        String table = results("out");
        assertEquals(7, table.lines().count(), table);
        byte[] file = Files.readAllBytes(folder.resolve("out/cells.jsonl"));
        assertEquals(0, tiny("out", "--tasks", "sr:2", "--solver", "ldps:steps=1").code());
        assertArrayEquals(file, Files.readAllBytes(folder.resolve("out/cells.jsonl")));
        assertEquals(table, results("out"));
        Cli more = tiny("out", "--tasks", "denoise@salt-pepper:0.1,sr:2", "--solver", "ldps:steps=1", "--seed", "1,2", "--limit",
                "1");
        assertEquals("14", more.words().get("cells"), more.err()); // seeds x pictures x (measurement, ..., ldps; pinv, ..., ldps)
        byte[] longer = Files.readAllBytes(folder.resolve("out/cells.jsonl"));
        assertArrayEquals(file, Arrays.copyOf(longer, file.length));
        assertEquals(6 + 14 - 3, cells("out").size());
        assertEquals(List.of("denoise,salt-pepper:0.1,measurement,1", "denoise,salt-pepper:0.1,pinv,1"), results("out").lines()
                .skip(1).limit(2).map(l -> String.join(",", Arrays.asList(l.split(",")).subList(1, 5))).toList());
        assertEquals(0, tiny("out", "--tasks", "sr:2", "--solver", "ldps:steps=1").code());
        assertEquals(table, results("out"));
    }

    @Test
    void refusesAnotherSetting() {
        String[] task = {"--tasks", "sr:2", "--solver", "ldps:steps=1", "--limit", "1"};
        assertEquals(0, tiny("out", task).code());
        String fault = tiny("out", Stream.concat(Stream.of(task), Stream.of("--spread")).toArray(String[]::new)).fault(2);
        assertEquals("tweedie: " + folder.resolve("out/cells.jsonl") + ": spread is false in the file and true in this run; name "
                + "another file with --cells, or repeat the options", fault);
        fault = Cli.run(words(DEMO, "out", task)).fault(2);
        assertTrue(fault.contains(": model is "), fault);
    }

    /** Workers measure LPIPS too, and the oracle starts from the true picture instead of the operator's start picture. */
    @Test
    void oraclesStartFromTheTruthAndWorkersMeasureLpips() throws IOException {
        String weights = "src/test/resources/golden/lpips/alexnet";
        Cli c = tiny("out", "--tasks", "sr:4", "--solver", "stsl:steps=2,inner=0,init=ddim,consistency=none", "--oracle",
                "stsl:steps=2,inner=0,init=ddim,consistency=none", "--workers", "2", "--lpips",
                weights + ".safetensors," + weights + "-linear.safetensors", "--pictures", Cli.in(folder, "saved"));
        assertEquals(0, c.code(), c.err());
        List<Cell> cells = cells("out");
        assertEquals(2 * 4, cells.size());
        List<String> frechet = Files.readAllLines(folder.resolve("out/frechet.csv"));
        assertEquals("task,noise,solver,features,pictures,frechet", frechet.getFirst());
        assertTrue(frechet.get(1).matches("sr:4,gaussian:0\\.01,pinv,alexnet\\.features,2,[0-9.]+"), frechet.toString());
        assertEquals(1 + 4, frechet.size());
        SavedPictures saved = new SavedPictures(folder.resolve("saved"));
        for (Cell cell : cells) {
            assertTrue(Files.exists(saved.file(cell.key())), saved.file(cell.key()).toString());
        }
        assertTrue(cells.stream().allMatch(x -> x.metrics().containsKey("lpips_alex")), cells.toString());
        Map<String, Double> psnr = new HashMap<>();
        cells.forEach(x -> psnr.put(x.key().solver().split(":")[0], x.metrics().get("psnr")));
        assertTrue(Math.abs(psnr.get("oracle") - psnr.get("stsl")) > 0.01, "another start gives another result: " + psnr);
    }

    @Test
    void sweepsAndSpreads() throws IOException {
        Cli c = tiny("out", "--tasks", "inpaint:box:8", "--sigma", "0.01,0.05", "--solver", "ldps:steps=2", "--solver",
                "stsl:steps=1", "--set", "inner=1,2", "--spread", "--limit", "1");
        assertEquals(0, c.code(), c.err());
        List<Cell> cells = cells("out").stream().filter(x -> x.metrics().containsKey("spread")).toList();
        assertEquals(List.of("ldps:steps=2", "stsl:steps=1,inner=1", "stsl:steps=1,inner=2"), cells.stream().limit(3)
                .map(x -> x.key().solver()).toList());
        assertEquals(6, cells.size());
        for (Cell cell : cells) {
            assertTrue(cell.metrics().get("spread") > 0, cell.line());
            assertTrue(cell.metrics().get("hole_psnr") > 0, cell.line());
        }
        assertEquals(2, cells.getFirst().evaluations().get("nfe"), "the second restoration is not counted");
    }

    /** The seed of a cell is that of 'degrade' and 'restore', which repeat it. */
    @Test
    void aCellCanBeRepeated() throws IOException {
        assertEquals(0, tiny("out", "--tasks", "inpaint:random:0.4", "--sigma", "0.05", "--seed", "11", "--solver",
                "ldps:steps=2,rho=0.5", "--limit", "1").code());
        Cell cell = cells("out").getLast();
        Cli.succeed("degrade", Cli.in(folder, "photos/a.png"), "--task", "inpaint:random:0.4", "--sigma", "0.05", "--seed", "11",
                "--threads", "1", "-o", Cli.in(folder, "y.png"));
        Cli c = Cli.run("restore", Cli.in(folder, "y.png"), "--model", Cli.TINY, "--solver", "ldps", "--steps", "2", "--rho",
                "0.5", "--seed", "11", "--threads", "1", "-o", Cli.in(folder, "x.png"));
        assertEquals(String.format(Locale.ROOT, "%.3f", cell.metrics().get("residual")), c.words().get("residual"), c.err());
    }

    @Test
    void aDryRunWritesNothing() {
        Cli c = tiny("out", "--tasks", "sr:2", "--solver", "ldps:steps=3", "--dry-run", "--workers", "2");
        assertEquals(0, c.code(), c.err());
        assertFalse(Files.exists(folder.resolve("out")));
        List<String> lines = c.out().lines().toList();
        assertTrue(lines.get(2).startsWith("solver=ldps:steps=3 cells=2 done=0 unet_forwards=3 unet_vjps=3 decodes=4 "
                + "decode_vjps=3 encodes=0 seconds_each="), c.out());
        assertTrue(Double.parseDouble(lines.get(2).split("seconds_each=")[1].split(" ")[0]) > 0, c.out());
        assertTrue(lines.get(3).startsWith("cells=6 done=0 workers=2 hours="), c.out());
    }

    @Test
    void reportsACellThatFailsAndMakesTheOthers() throws IOException {
        Cli c = tiny("out", "--tasks", "sr:2", "--solver", "ldps:steps=2", "--set", "rho=1e38,1", "--limit", "1");
        assertEquals(1, c.code(), c.err());
        assertTrue(c.err().contains("tweedie: failed: a.png, sr:2, gaussian:0.01, ldps:steps=2,rho=1e38, seed 1: ldps: step "),
                c.err());
        assertTrue(c.fault(1).startsWith("tweedie: 1 of 4 cells failed, as reported above; the other 3 are in the file"),
                c.err());
        assertEquals("ldps:steps=2,rho=1", cells("out").getLast().key().solver());
        assertFalse(Files.exists(folder.resolve("out/results.csv")), "a table without these cells could pass for the whole");
    }

    @Test
    void mistakesAreOneLine() throws IOException {
        assertEquals("tweedie: --set eta: no solver of ldps has this option; 'tweedie restore --solver NAME --help' lists a "
                + "solver's options", tiny("out", "--solver", "ldps", "--set", "eta=1").fault(2));
        assertTrue(tiny("out", "--tasks", "sr:2@poisson:1").fault(2).startsWith("tweedie: noise 'poisson:1': expected "));
        assertTrue(tiny("out", "--limit", "0").fault(2).startsWith("tweedie: eval: expected --size, --limit and --workers of 1"));
        assertTrue(tiny("out", "--skip", "2").fault(2).contains("expected pictures after the first 2, found none"));
        assertTrue(tiny("photos/a.png").fault(2).contains("is a file, expected a folder for the tables"));
        assertTrue(tiny("out", "--workers", "2", "--time").fault(2).startsWith("tweedie: --time: works with one worker only"));
        Png.write(folder.resolve("photos/c.png"), Cli.picture(40, 32), Map.of());
        assertEquals("tweedie: " + folder.resolve("photos/c.png") + ": expected sides that are multiples of 32x32, got 40x32; "
                + "crop the picture or choose another --size", tiny("out").fault(2));
        assertFalse(Files.exists(folder.resolve("out")));
    }

    private Process start(String... words) throws IOException {
        ProcessBuilder b = new ProcessBuilder(WorkerProcess.java(Main.class, List.of(words)));
        b.environment().put("GOMP_SPINCOUNT", "0");
        return b.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
    }

    private String log() throws IOException {
        return Files.readString(folder.resolve("log"));
    }

    private String[] killed(String model, String out, int workers) {
        return words(model, out, "--tasks", "sr:2", "--seed", "1,2", "--solver", "stsl:steps=2,inner=1", "--solver",
                "ldps:steps=2", "--workers", Integer.toString(workers));
    }

    private long lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readString(file).lines().count() : 0;
    }

    /**
     * Kills an eval a few times, each when some more cells are there and a little later, and then lets it finish.
     *
     * @return how many of the kills came before it had finished
     */
    private int killAndFinish(String out, int kills, int workers, Random moments) throws Exception {
        Path file = folder.resolve(out).resolve("cells.jsonl");
        int early = 0;
        for (int kill = 0; kill < kills; kill++) {
            long enough = lines(file) + 1 + moments.nextInt(4);
            Process p = start(killed(DEMO, out, workers));
            for (int i = 0; i < 6000 && p.isAlive() && lines(file) < enough; i++) {
                Thread.sleep(10);
            }
            Thread.sleep(moments.nextInt(100));
            early += p.isAlive() ? 1 : 0;
            List<ProcessHandle> children = p.children().toList();
            p.destroyForcibly().waitFor();
            for (ProcessHandle child : children) {
                child.onExit().get(30, TimeUnit.SECONDS); // a worker ends when the process that started it is killed
            }
        }
        assertEquals(0, start(killed(DEMO, out, workers)).waitFor(), log());
        return early;
    }

    /** However often it was killed, by one process or two, an evaluation ends with the bytes of one that ran through. */
    @Test
    void aKilledEvaluationEndsWithTheSameBytes() throws Exception {
        assertEquals(0, Cli.run(killed(DEMO, "whole", 1)).code());
        byte[] whole = Files.readAllBytes(folder.resolve("whole/results.csv"));
        for (int workers = 1; workers <= 2; workers++) {
            String out = "killed" + workers;
            assertTrue(killAndFinish(out, 4 - workers, workers, new Random(workers)) > 0, log());
            assertArrayEquals(whole, Files.readAllBytes(folder.resolve(out).resolve("results.csv")), log());
            assertEquals(cells("whole").size(), cells(out).size());
        }
    }

    /** A worker that is killed ends the evaluation, which keeps its cells. */
    @Test
    void aKilledWorkerIsReported() throws Exception {
        Path file = folder.resolve("out/cells.jsonl");
        Process p = start(killed(Cli.TINY, "out", 2));
        for (int i = 0; i < 6000 && p.isAlive() && lines(file) < 3; i++) {
            Thread.sleep(10);
        }
        p.children().findFirst().orElseThrow().destroyForcibly();
        assertEquals(1, p.waitFor(), log());
        assertTrue(log().lines().toList().getLast().matches("tweedie: worker [12] ended with exit code 137 at the cell .*; it "
                + "printed no error; the cells that are done are kept, and the same command continues"), log());
        assertTrue(cells("out").size() >= 2);
    }
}
