// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.eval.Cell;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;

/**
 * The report on a small set of cells. Its numbers are those that {@link TablesTest} works out by hand; the solvers' names are
 * not those of real solvers, so that the golden file does not depend on what solvers say about themselves.
 */
class ReportFolderTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden/report");

    @TempDir
    Path folder;

    private static List<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        double[][] sr = {{20, 24, 28}, {21, 26, 31}, {22, 26.1, 30.2}};
        String[] solvers = {"plain", "fine:steps=50", "fine:steps=250"};
        for (int s = 0; s < solvers.length; s++) {
            for (int i = 0; i < 3; i++) {
                String picture = (char) ('a' + i) + ".png";
                cells.add(CellBench.cell(picture, "sr:4", solvers[s], 1, Map.of("psnr", sr[s][i], "ssim", sr[s][i] / 40),
                        50 + 50 * s));
                if (s < 2 || i < 2) {
                    cells.add(CellBench.cell(picture, "denoise", solvers[s], 1, Map.of("psnr", sr[s][i] + 1), 50 + 50 * s));
                }
            }
        }
        cells.add(CellBench.base("a.png", "sr:4", "pinv", 18));
        cells.add(CellBench.base("b.png", "sr:4", "pinv", 22));
        cells.add(CellBench.base("c.png", "sr:4", "pinv", 26));
        return cells;
    }

    private static ReportFolder report(List<Cell> cells) {
        return new ReportFolder(CellSet.of(cells), Set.of("device cpu, size 32"), List.of(),
                List.of(Metric.of("psnr"), Metric.of("ssim")), "plain", false);
    }

    @Test
    void theSmallReportIsTheGoldenOne() throws IOException {
        int plots = report(cells()).write(folder);
        assertEquals(2 * 3 + 3, plots); // no SSIM for denoise
        for (String name : List.of("report.md", "means.csv", "paired.csv", "costs.csv")) {
            assertEquals(Files.readString(GOLDEN.resolve(name)), Files.readString(folder.resolve(name)), name);
        }
        try (Stream<Path> files = Files.list(folder.resolve("plots"))) {
            List<String> names = files.map(f -> f.getFileName().toString()).sorted().toList();
            assertEquals(plots, names.size());
            String text = Files.readString(folder.resolve("report.md"));
            names.forEach(n -> assertTrue(text.contains("](plots/" + n + ")"), n));
        }
    }

    /** The order in which cells were made changes no byte, plots included; other seconds change the column of seconds only. */
    @Test
    void sameCellsSameBytes() throws IOException {
        List<Cell> others = new ArrayList<>();
        cells().forEach(c -> others.add(new Cell(c.key(), c.metrics(), c.evaluations(), 7)));
        Collections.reverse(others);
        report(cells()).write(folder.resolve("first"));
        report(others).write(folder.resolve("second"));
        for (String name : List.of("means.csv", "paired.csv", "plots/sr-4_gaussian-0.01_psnr_unet.png",
                "plots/denoise_gaussian-0.01_psnr_decoder.png")) {
            assertArrayEquals(Files.readAllBytes(folder.resolve("first").resolve(name)),
                    Files.readAllBytes(folder.resolve("second").resolve(name)), name);
        }
        for (String name : List.of("report.md", "costs.csv")) {
            assertEquals(withoutSeconds(folder.resolve("first").resolve(name)),
                    withoutSeconds(folder.resolve("second").resolve(name)));
        }
    }

    private static List<String> withoutSeconds(Path file) throws IOException {
        return Files.readAllLines(file).stream().map(l -> l.replaceFirst(",[0-9.]+$", "")
                .replaceFirst("\\| [0-9.]+ \\|$", "")).toList();
    }

    /** Each plot can be decoded, has the colours of its curves, a grid and text, and is mostly white. */
    @Test
    void plotsAreNotBlank() throws IOException {
        report(cells()).write(folder);
        try (Stream<Path> files = Files.list(folder.resolve("plots"))) {
            for (Path f : files.toList()) {
                Image image = ImageFile.read(f).image();
                assertEquals(1000, image.width());
                assertEquals(640, image.height());
                assertTrue(count(image, 0x0072B2) > 100, f + ": the first curve is not there");
                assertTrue(count(image, 0xD55E00) > 30, f + ": the second curve is not there");
                assertTrue(count(image, 0xFFFFFF) > 300_000, f + ": the background is not there");
            }
        }
        assertTrue(count(ImageFile.read(folder.resolve("plots/sr-4_gaussian-0.01_psnr_unet.png")).image(), 0x404040) > 100,
                "the line of the pseudo-inverse is not there");
    }

    private static int count(Image image, int rgb) {
        int found = 0;
        for (int i = 0; i < image.width() * image.height(); i++) {
            int code = 0;
            for (int c = 0; c < 3; c++) {
                code = code << 8 | Math.round((image.data()[3 * i + c] + 1) / 2 * 255);
            }
            found += code == rgb ? 1 : 0;
        }
        return found;
    }

    /** A solver that costs nothing on an axis is shown on a linear one; a single picture has no bar. */
    @Test
    void aCostOfZeroIsShown() throws IOException {
        List<Cell> cells = new ArrayList<>();
        for (String s : List.of("free", "dear")) {
            long n = s.equals("free") ? 0 : 500;
            cells.add(new Cell(new Cell.Key("a", "sr:4", "n", s, 1), Map.of("psnr", n + 20.0), CellBench.counts(n, n, n), n));
        }
        CellSet set = CellSet.of(cells);
        byte[] png = QualityPlot.png(set, set.cases().getFirst(), Metric.of("psnr"), Axis.PULL_BACKS).orElseThrow();
        Image image = ImageFile.read(Files.write(folder.resolve("x.png"), png)).image();
        assertTrue(count(image, 0x0072B2) > 30 && count(image, 0xD55E00) > 30);
        assertFalse(QualityPlot.png(set, set.cases().getFirst(), Metric.of("ssim"), Axis.UNET).isPresent());
    }

    /** A logarithmic axis has labels at powers of ten, so two of them must be on it. */
    @Test
    void axesHaveTwoDecades() {
        assertArrayEquals(new double[] {50, 3000}, QualityPlot.decades(50, 3000)); // 100, 1000
        assertArrayEquals(new double[] {100, 1300}, QualityPlot.decades(150, 1300)); // 1000, so 100
        assertArrayEquals(new double[] {100, 1000}, QualityPlot.decades(200, 400)); // none
        assertArrayEquals(new double[] {0.05, 1}, QualityPlot.decades(0.05, 0.9)); // 0.1, so 1
    }

    /** Tasks whose names differ in signs only have files of their own. */
    @Test
    void plotsDoNotOverwriteEachOther() throws IOException {
        List<Cell> cells = List.of(CellBench.cell("a", "inpaint:m/a", "x", 20, 1),
                CellBench.cell("a", "inpaint:m:a", "x", 20, 1));
        ReportFolder r = new ReportFolder(CellSet.of(cells), Set.of(), List.of(), List.of(Metric.of("psnr")), "x", false);
        assertEquals(6, r.write(folder));
        Set<String> names = new HashSet<>();
        try (Stream<Path> files = Files.list(folder.resolve("plots"))) {
            files.forEach(f -> names.add(f.getFileName().toString()));
        }
        assertEquals(6, names.size());
        assertTrue(names.contains("inpaint-m-a_gaussian-0.01_psnr_unet-2.png"), names.toString());
    }
}
