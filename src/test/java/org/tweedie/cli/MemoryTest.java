// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.eval.WorkerProcess;
import org.tweedie.image.ImageFile;
import org.tweedie.image.Png;

/** Tests the command plan and the option --memory. */
class MemoryTest {
    private static final Pattern LEAST = Pattern.compile("--memory 1M: this needs at least ([0-9]+)M: ([0-9]+)M of weights, "
            + "([0-9]+)M of arena and 512M for the JVM; give more, or take a smaller picture$");
    private static final String[] DEMO = {"profile", "--model", "weights-tools/demo-model", "--height", "16", "--width", "16",
        "--what", "restore", "--steps", "2", "--inner", "2", "--task", "sr:4", "--threads", "2"};

    @TempDir
    Path folder;

    private static String[] with(String[] words, String... more) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private static int least(String... command) {
        String fault = Cli.run(with(command, "--memory", "1M")).fault(2);
        Matcher m = LEAST.matcher(fault);
        assertTrue(m.find(), fault);
        assertTrue(Integer.parseInt(m.group(1)) <= Integer.parseInt(m.group(2)) + Integer.parseInt(m.group(3)) + 512, fault);
        return Integer.parseInt(m.group(1));
    }

    @Test
    void planTellsBlocksAndTotals() {
        Cli c = Cli.succeed("plan", "bench/sd15:random", "--height", "512", "--width", "512", "--what", "decode",
                "--threads", "2");
        Map<String, String> words = c.words();
        assertEquals(List.of("what", "weights", "arena", "process", "gflop", "gbyte", "seconds"), List.copyOf(words.keySet()));
        // 49,490,199 parameters of 4 bytes; 2514.5 GFLOP of products, and the rest
        assertEquals(189, Integer.parseInt(words.get("weights").replace("M", "")), 3);
        assertEquals(2514.5, Double.parseDouble(words.get("gflop")), 10);
        assertTrue(c.out().lines().anyMatch(l -> l.startsWith("decoder.up_blocks.3 ")), c.out());
        assertTrue(c.out().startsWith("rates: "), c.out());
    }

    @Test
    void planNamesTheProgramsOfARestoration() {
        Cli c = Cli.succeed("plan", Cli.TINY, "--height", "32", "--width", "32", "--what", "restore", "--task", "sr:2", "--steps",
                "2", "--inner", "3");
        assertTrue(c.out().lines().anyMatch(l -> l.matches("eps +[0-9]+M .* 4")), c.out()); // 2 to invert, 2 steps
        assertEquals("restore", c.words().get("what"));
    }

    @Test
    void planRefuses() {
        assertTrue(Cli.run("plan", Cli.TINY, "--height", "33", "--width", "32").fault(2).contains("image side 33"));
        assertTrue(Cli.run("plan", Cli.TINY, "--height", "32", "--width", "32", "--what", "gemm").fault(2)
                .contains("'gemm' is not a part of a model"));
        assertTrue(Cli.run("plan", Cli.TINY, "--height", "32", "--width", "32", "--memory", "6X").fault(2)
                .contains("--memory: expected a size such as 800M or 6G, got '6X'"));
        assertTrue(Cli.run("plan", Cli.TINY, "--height", "32", "--width", "32", "--memory", "6G", "--device", "sim").fault(2)
                .contains("--memory: works with --device cpu only, got sim"));
        assertTrue(least("plan", Cli.TINY, "--height", "32", "--width", "32", "--what", "decode-vjp") > 512);
    }

    /** The smallest figure that is told is enough: the restoration runs in it, and one megabyte less is refused. */
    @Test
    void theSmallestFigureIsEnoughAndNoMoreIsTaken() throws Exception {
        int least = least(DEMO);
        assertTrue(Cli.run(with(DEMO, "--memory", least - 1 + "M")).fault(2).contains("needs at least " + least + "M"));
        List<String> command = WorkerProcess.java(Main.class, List.of(with(DEMO, "--memory", least + "M")));
        command.addAll(1, List.of("-XX:+UseSerialGC", "-Xms128m", "-Xmn64m")); // as the launcher starts it
        Path out = folder.resolve("out.json");
        Process child = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(folder.resolve("err").toFile())
                .start();
        assertEquals(0, child.waitFor(), Files.readString(folder.resolve("err")));
        long peak = JsonParser.parseString(Files.readString(out)).getAsJsonObject().get("peak_rss_bytes").getAsLong();
        System.out.printf("memory: a restoration in --memory %dM took %dM at most%n", least, peak >> 20);
        assertTrue(peak <= (long) least << 20, peak + " bytes were resident, " + least + "M were allowed");
    }

    /** Workers share what is given. A refusal leaves no folder. */
    @Test
    void workersHaveEqualShares() throws Exception {
        Path photos = Files.createDirectory(folder.resolve("photos"));
        Png.write(photos.resolve("a.png"), Cli.picture(32, 32), Map.of());
        String out = Cli.in(folder, "out");
        String[] eval = {"eval", photos.toString(), "--model", Cli.TINY, "--size", "32", "--tasks", "sr:2", "--solver",
            "ldps:steps=2", "--workers", "2", "-o", out};
        String fault = Cli.run(with(eval, "--memory", "1M")).fault(2);
        Matcher m = Pattern.compile("this needs at least ([0-9]+)M: .* for each of 2 workers, and another JVM; give more, or "
                + "fewer workers$").matcher(fault);
        assertTrue(m.find(), fault);
        assertTrue(Integer.parseInt(m.group(1)) > 3 * 512, fault);
        assertFalse(Files.exists(folder.resolve("out")));
        assertEquals("3", Cli.succeed(with(eval, "--memory", m.group(1) + "M")).words().get("cells"));
        assertTrue(Cli.run(with(eval, "--memory", "6G", "--dry-run")).fault(2)
                .contains("--dry-run times networks without a limit"));
    }

    /** What is restored in little memory is the same file's pixels, and what does not fit leaves no file. */
    @Test
    void memoryChangesNoPixel() throws Exception {
        Png.write(folder.resolve("x.png"), Cli.picture(32, 32), Map.of());
        String y = Cli.in(folder, "y.png");
        Cli.succeed("degrade", Cli.in(folder, "x.png"), "--task", "sr:2", "--sigma", "0.01", "-o", y);
        String[] restore = {"restore", y, "--model", Cli.TINY, "--steps", "2", "--inner", "2", "--threads", "2"};
        Cli.succeed(with(restore, "-o", Cli.in(folder, "a.png")));
        int least = least(with(restore, "-o", Cli.in(folder, "none.png")));
        assertFalse(Files.exists(folder.resolve("none.png")));
        Cli.succeed(with(restore, "--memory", least + "M", "-o", Cli.in(folder, "b.png")));
        assertArrayEquals(ImageFile.read(folder.resolve("a.png")).image().tensor().floats(),
                ImageFile.read(folder.resolve("b.png")).image().tensor().floats());
    }
}
