// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.tweedie.cli.console.Notes;
import org.tweedie.eval.report.CellReader;
import org.tweedie.eval.report.CellSet;
import org.tweedie.eval.report.Metric;
import org.tweedie.eval.report.ReportFolder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes tables and plots of the cells that evaluations have made. */
@Command(name = "report", sortOptions = false,
        description = {"Reads the cells of one or more evaluations (cells.jsonl) and writes tables and plots into a folder.",
            "",
            "report.md has for each metric the mean of each solver and the paired differences to the solver of "
                    + "--against, then the costs of the solvers and the plots. The same numbers are in means.csv, paired.csv "
                    + "and costs.csv. Intervals are Student's t over pictures, at 95 %%; p values are corrected by Holm's "
                    + "method for the number of comparisons in their table. The tables say which values are missing. "
                    + "docs/evaluation.md defines everything.",
            ""},
        footerHeading = "%nExample:%n", footer = {
            "  tweedie report out/cells.jsonl --metric psnr,ssim --against stsl:eta=0 --tasks sr:4 -o out/report"})
final class Report implements Callable<Integer> {
    @Parameters(paramLabel = "CELLS.jsonl", arity = "1..*", description = "Files with a cell of an evaluation in each line.")
    private List<Path> files;

    @Option(names = "--metric", paramLabel = "NAME", split = ",", defaultValue = "psnr,ssim",
            description = "The metrics to report. Default: ${DEFAULT-VALUE}.")
    private List<String> metrics;

    @Option(names = "--against", paramLabel = "SOLVER", required = true, description = "The solver that the others are compared "
            + "with, as it is written in the cells, for example stsl:eta=0 or pinv.")
    private String against;

    @Option(names = "--tasks", paramLabel = "TASK", split = ",", description = "The tasks to report, in this order: TASK for all "
            + "its noises, or TASK@NOISE. Default: all.")
    private List<String> tasks;

    @Option(names = "--simultaneous", description = "Show also intervals that hold simultaneously for all comparisons of a table "
            + "(Bonferroni).")
    private boolean simultaneous;

    @Option(names = {"-o", "--out"}, paramLabel = "DIR", required = true, description = "The folder for the report, "
            + "which is made if it does not exist.")
    private Path out;

    @Override
    public Integer call() throws IOException {
        files.forEach(Notes::requireFile);
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new IllegalArgumentException(out + ": is a file, expected a folder; name another one with -o");
        }
        CellReader read = CellReader.read(files);
        read.notes().forEach(n -> System.err.println("tweedie: " + n));
        CellSet all = CellSet.of(read.cells());
        CellSet cells = tasks == null ? all : all.select(tasks);
        ReportFolder report = new ReportFolder(cells, read.settings(), read.notes(), metrics.stream().distinct().map(Metric::of)
                .toList(), against, simultaneous);
        int plots = report.write(out);
        System.out.println("report=" + out.resolve("report.md") + " cells=" + cells.size() + " plots=" + plots);
        return 0;
    }
}
