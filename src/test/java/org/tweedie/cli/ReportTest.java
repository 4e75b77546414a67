// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.cli.console.Faults;
import org.tweedie.eval.report.CellBench;

class ReportTest {
    @TempDir
    Path folder;

    @BeforeEach
    void cells() throws IOException {
        StringBuilder one = new StringBuilder("{\"evaluation\":{\"device\":\"cpu\",\"size\":\"32\"}}\n");
        StringBuilder two = new StringBuilder();
        for (String picture : List.of("a.png", "b.png")) {
            double v = picture.charAt(0);
            one.append(CellBench.cell(picture, "sr:4", "stsl:eta=0", v, 10).line()).append('\n');
            one.append(CellBench.cell(picture, "blur:3", "stsl:eta=0", v, 10).line()).append('\n');
            one.append(CellBench.base(picture, "sr:4", "pinv", v - 3).line()).append('\n');
            two.append(CellBench.base(picture, "sr:4", "pinv", v - 3).line()).append('\n');
            two.append(CellBench.cell(picture, "sr:4", "psld:steps=20,omega=0.5", v + v / 100, 40).line()).append('\n');
        }
        Files.writeString(folder.resolve("one.jsonl"), one);
        Files.writeString(folder.resolve("two.jsonl"), two);
    }

    private Cli report(String... more) {
        List<String> args = new ArrayList<>(List.of("report", Cli.in(folder, "one.jsonl"), Cli.in(folder, "two.jsonl"),
                "-o", Cli.in(folder, "out")));
        args.addAll(List.of(more));
        return Cli.run(args.toArray(String[]::new));
    }

    @Test
    void writesTablesAndPlots() throws IOException {
        Cli c = report("--metric", "psnr", "--against", "stsl:eta=0", "--tasks", "sr:4", "--simultaneous");
        assertEquals(0, c.code(), c.err());
        assertEquals("6", c.words().get("cells"));
        assertEquals("3", c.words().get("plots"));
        String text = Files.readString(Path.of(c.words().get("report")));
        assertTrue(text.contains("Setting: device cpu, size 32."), text);
        assertTrue(text.contains("`psld`: Both terms are plain norms"), text);
        assertTrue(text.contains("simultaneous interval"), text);
        assertFalse(text.contains("blur:3"), text);
        assertEquals(2, Files.readAllLines(folder.resolve("out/paired.csv")).size());
        assertEquals(4, Files.readAllLines(folder.resolve("out/means.csv")).size());
        assertEquals(3, Files.readAllLines(folder.resolve("out/costs.csv")).size());
        assertTrue(Files.size(folder.resolve("out/plots/sr-4_gaussian-0.01_psnr_seconds.png")) > 1000);
    }

    @Test
    void aLineThatWasCutIsSaid() throws IOException {
        Files.writeString(folder.resolve("two.jsonl"), Files.readString(folder.resolve("two.jsonl")).strip());
        Cli c = report("--metric", "psnr", "--against", "pinv");
        assertEquals(0, c.code(), c.err());
        assertTrue(c.err().contains("The last line of two.jsonl has no end, so it is left out."), c.err());
        assertTrue(Files.readString(folder.resolve("out/report.md")).contains("The last line of two.jsonl"));
    }

    @Test
    void saysWhatIsWrong() {
        assertFault("missing required option: '--against=SOLVER'");
        assertFault("--against 'stsl': unknown", "--metric", "psnr", "--against", "stsl");
        assertFault("--metric 'ssim': unknown; known: psnr", "--against", "pinv");
        assertFault("--tasks 'sr:3': unknown; did you mean 'sr:4'?", "--metric", "psnr", "--against", "pinv", "--tasks", "sr:3");
        String fault = Cli.run("report", Cli.in(folder, "none.jsonl"), "--against", "pinv", "-o", Cli.in(folder, "out"))
                .fault(Faults.MISUSED);
        assertTrue(fault.contains("none.jsonl: no such file"), fault);
        fault = Cli.run("report", Cli.in(folder, "one.jsonl"), "--against", "pinv", "-o", Cli.in(folder, "two.jsonl"))
                .fault(Faults.MISUSED);
        assertTrue(fault.contains("two.jsonl: is a file, expected a folder"), fault);
        assertFalse(Files.exists(folder.resolve("out")), "nothing may be written");
    }

    private void assertFault(String part, String... more) {
        String fault = report(more).fault(Faults.MISUSED);
        assertTrue(fault.contains(part), fault);
    }

    @Test
    void helpHasAnExample() {
        String help = Cli.succeed("report", "--help").out();
        assertTrue(help.contains("tweedie report out/cells.jsonl --metric psnr,ssim --against stsl:eta=0"), help);
    }
}
