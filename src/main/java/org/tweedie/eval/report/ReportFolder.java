// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.tweedie.image.AtomicFile;
import org.tweedie.options.Spelling;

/**
 * Writes a report: {@code report.md}, {@code means.csv}, {@code paired.csv}, {@code costs.csv} and {@code plots/*.png}. The same
 * cells give the same bytes, whatever the order in which they were made; only seconds differ from run to run of an evaluation.
 *
 * @param cells what is reported
 * @param settings how the cells were made, as text; several if the files differ
 * @param notes what a reader has to know of the files
 * @param metrics the metrics, in the order of the tables
 * @param against the baseline of the paired differences
 * @param simultaneous whether intervals that hold simultaneously are shown too
 */
public record ReportFolder(CellSet cells, Set<String> settings, List<String> notes, List<Metric> metrics, String against,
        boolean simultaneous) {
    /**
     * Checks the request.
     *
     * @throws IllegalArgumentException when no cell has a metric, or the baseline has no cells
     */
    public ReportFolder {
        metrics.forEach(m -> Spelling.check("--metric", m.name(), cells.metrics()));
        Spelling.check("--against", against, cells.solvers());
    }

    /**
     * Writes the files into a folder, which is made if it does not exist; each is written beside its target and renamed.
     *
     * @return the number of plots
     */
    public int write(Path folder) throws IOException {
        Path plots = Files.createDirectories(folder.resolve("plots"));
        List<Means> means = metrics.stream().map(m -> new Means(cells, m)).toList();
        List<Differences> differences = metrics.stream().map(m -> new Differences(cells, m, against, simultaneous)).toList();
        Costs costs = new Costs(cells);
        List<Section> sections = new ArrayList<>();
        means.forEach(m -> sections.add(m.section()));
        differences.forEach(d -> sections.add(d.section()));
        sections.add(costs.section());
        StringBuilder text = new StringBuilder(head());
        sections.forEach(s -> text.append('\n').append(s.markdown()));
        int count = plots(plots, text);
        write(folder.resolve("means.csv"), new Table(Means.CSV, means.stream().flatMap(m -> m.csv().stream()).toList()).csv());
        write(folder.resolve("paired.csv"), new Table(Differences.heads(simultaneous),
                differences.stream().flatMap(d -> d.csv().stream()).toList()).csv());
        write(folder.resolve("costs.csv"), costs.csv().csv());
        write(folder.resolve("report.md"), text.toString());
        return count;
    }

    private String head() {
        Set<Trial> trials = new HashSet<>();
        cells.cases().forEach(c -> trials.addAll(cells.trials(c)));
        long pictures = trials.stream().map(Trial::picture).distinct().count();
        long seeds = trials.stream().map(Trial::seed).distinct().count();
        long solvers = cells.solvers().stream().filter(s -> !NaturalOrder.isBase(s)).count();
        StringBuilder s = new StringBuilder("# Evaluation\n\n");
        s.append(String.join(", ", count(cells.size(), "cell"), count(pictures, "picture"), count(seeds, "seed"),
                count(cells.cases().size(), "task"), count(solvers, "solver"))).append(".\n");
        settings.forEach(x -> s.append("\nSetting: ").append(x).append(".\n"));
        if (settings.size() > 1) {
            s.append("\nThe files were made with different settings, so a difference between solvers may be one of settings.\n");
        }
        notes.forEach(n -> s.append('\n').append(n).append('\n'));
        return s.toString();
    }

    private static String count(long n, String noun) {
        return Section.count(List.of(Math.toIntExact(n)), noun);
    }

    private int plots(Path folder, StringBuilder text) throws IOException {
        text.append("\n## Plots\n\nPoints are means over pictures and bars their 95 % intervals (Student's t). These "
                + "are wider than the intervals of paired differences, since pictures differ more than solvers do on a "
                + "picture. A curve joins the settings of one solver in the order of their cost. Lines: pinv and "
                + "autoencoder.\n");
        Set<String> names = new HashSet<>();
        int count = 0;
        for (CellSet.Case at : cells.cases()) {
            for (Metric m : metrics) {
                int before = count;
                for (Axis axis : Axis.values()) {
                    Optional<byte[]> png = QualityPlot.png(cells, at, m, axis);
                    if (png.isPresent()) {
                        String name = name(at, m, axis, names);
                        AtomicFile.write(folder.resolve(name), png.get());
                        text.append("\n![").append(m.title()).append(" against ").append(axis.label())
                                .append(", ").append(at.text()).append("](plots/").append(name).append(")\n");
                        count++;
                    }
                }
                if (count == before) {
                    text.append("\nThere are no plots of ").append(m.title()).append(" for ").append(Table.code(at.text()))
                            .append(", because no solver has a value.\n");
                }
            }
        }
        return count;
    }

    /** Returns a file name of letters, digits, dots and dashes that no other plot has. */
    private static String name(CellSet.Case at, Metric m, Axis axis, Set<String> names) {
        String stem = (at.task() + "_" + at.noise() + "_" + m.name() + "_" + axis.word()).replaceAll("[^A-Za-z0-9._]+", "-");
        String name = stem + ".png";
        for (int i = 2; !names.add(name); i++) {
            name = stem + "-" + i + ".png";
        }
        return name;
    }

    private static void write(Path file, String text) throws IOException {
        AtomicFile.write(file, text.getBytes(StandardCharsets.UTF_8));
    }
}
