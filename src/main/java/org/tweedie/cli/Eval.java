// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tweedie.Model;
import org.tweedie.Session;
import org.tweedie.Tweedie;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Progress;
import org.tweedie.cli.console.Version;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.device.Device;
import org.tweedie.eval.Cell;
import org.tweedie.eval.CellFailure;
import org.tweedie.eval.CellFile;
import org.tweedie.eval.CellMaker;
import org.tweedie.eval.CellRunner;
import org.tweedie.eval.CellTable;
import org.tweedie.eval.Degradation;
import org.tweedie.eval.Evaluation;
import org.tweedie.eval.FrechetTable;
import org.tweedie.eval.Measures;
import org.tweedie.eval.Pictures;
import org.tweedie.eval.SavedPictures;
import org.tweedie.eval.CellPlan;
import org.tweedie.eval.Setting;
import org.tweedie.eval.Sweep;
import org.tweedie.eval.TimeLeft;
import org.tweedie.eval.WorkerProcess;
import org.tweedie.image.AtomicFile;
import org.tweedie.metrics.Lpips;
import org.tweedie.program.Shape;
import org.tweedie.workload.Forecast;
import org.tweedie.workload.NetworkTimes;
import org.tweedie.workload.Workloads;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Evaluates solvers over a folder of pictures. */
@Command(name = "eval", sortOptions = false,
        description = {"Degrades and restores the pictures of a folder, and writes tables with a line for each picture, task, "
                + "noise, solver and seed (a cell).",
            "",
            "The output folder gets results.csv (metrics and network evaluations), times.csv (seconds) and cells.jsonl, to which "
                + "each cell is appended as soon as it is done. After an interruption, the same command continues with the cells "
                + "that are missing there. It continues with other tasks, noises, seeds, solvers or pictures as well; the tables "
                + "then have the cells that this command asks for. On the cpu device, another number of threads may change the "
                + "last bits of the cells to come.",
            "",
            "Three kinds of cells need no solver: 'measurement' is y itself if it is a picture of the same size, 'pinv' is the "
                + "picture that solvers start from (holes are filled from their surroundings), and 'autoencoder' is the true "
                + "picture encoded and decoded, which is the best result that a latent method can reach.",
            "@tasks", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie eval photos --model DIR --size 128 --tasks sr:4,denoise@salt-pepper:0.02 --solver psld --solver "
                    + "stsl:steps=10,inner=3 -o out",
            "  tweedie eval photos --model DIR --size 128 --tasks sr:4 --sigma 0.01,0.05 --solver stsl:steps=10 --set "
                    + "eta=0.05,0.1 --set inner=1,3 --dry-run -o out"})
final class Eval implements Callable<Integer> {
    @Parameters(paramLabel = "FOLDER", description = "The folder with the pictures.")
    private Path images;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--size", paramLabel = "N", required = true, description = "The side in pixels to which each picture is "
            + "averaged down.")
    private int size;

    @Option(names = "--skip", paramLabel = "N", defaultValue = "0", description = "The number of pictures to skip at the start "
            + "of the folder. Default: ${DEFAULT-VALUE}.")
    private int skip;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "24", description = "The largest number of pictures to use. "
            + "Default: ${DEFAULT-VALUE}.")
    private int limit;

    @Option(names = "--tasks", paramLabel = "TASK", split = ",",
            defaultValue = "sr:4,sr:8,blur:3,motion,inpaint:box,inpaint:random:0.7",
            description = "The tasks that say how to degrade the pictures. TASK@gaussian:SIGMA or TASK@salt-pepper:FRACTION "
                    + "gives a task a noise of its own. Default: ${DEFAULT-VALUE}.")
    private List<String> tasks;

    @Option(names = "--solver", paramLabel = "SPEC",
            description = "A solver and its options, as in stsl:steps=10,eta=0; the option may be given several times. 'restore "
                    + "--solver NAME --help' lists a solver's options. Options that are not given have the defaults that the "
                    + "solver's publication gives for the task. Default: stsl:eta=0, stsl and stsl:trace-weight=normalised.")
    private List<String> solvers = List.of("stsl:eta=0", "stsl", "stsl:trace-weight=normalised");

    @Option(names = "--set", paramLabel = "OPTION=VALUE,...",
            description = "Try each of these values in all solvers that have the option. If given several times, all "
                    + "combinations are tried.")
    private List<String> sets = List.of();

    @Option(names = "--oracle", paramLabel = "SPEC", description = "A solver as in --solver, which starts from the true picture "
            + "instead of one made from the measurement. It bounds what a better start can give; its rows are named "
            + "oracle:SPEC.")
    private List<String> oracles = List.of();

    @Option(names = "--sigma", paramLabel = "X", split = ",", defaultValue = "0.01",
            description = "Standard deviations of Gaussian noise, on the scale of [-1,1], for all tasks without a noise of their "
                    + "own. Default: ${DEFAULT-VALUE}.")
    private List<Double> sigmas;

    @Option(names = "--seed", paramLabel = "N", split = ",", defaultValue = "1", description = "The seeds of masks, kernels, "
            + "noise and everything random in the solvers; 'degrade' and 'restore' with the seed repeat a cell. "
            + "Default: ${DEFAULT-VALUE}.")
    private List<Long> seeds;

    @Option(names = "--spread", description = "Restore each measurement a second time with other random numbers of the solver, "
            + "and report the root mean square difference of both pictures as the metric spread.")
    private boolean spread;

    @Option(names = "--lpips", paramLabel = "FILE", split = ",", description = "Measure LPIPS with the weights in these "
            + "safetensors files: torchvision's AlexNet or VGG16 and the linear weights of the package lpips, in one file or "
            + "two. Default: LPIPS is not measured.")
    private List<Path> lpips = List.of();

    @Option(names = "--pictures", paramLabel = "DIR", description = "Save the restored pictures in this folder, as "
            + "TASK/NOISE/SOLVER/SEED/PICTURE.png. With --lpips, the table frechet.csv then has the Frechet distances between "
            + "the restored and the true pictures of each solver, over the features of that network.")
    private Path saved;

    @Option(names = "--workers", paramLabel = "N", defaultValue = "1", description = "The number of processes that make cells "
            + "at the same time. Each has --threads threads, by default an equal share of the processors. "
            + "Default: ${DEFAULT-VALUE}.")
    private int workers;

    @Option(names = "--dry-run", description = "Print the number of cells of each solver, the network evaluations of one cell, "
            + "and how long they are expected to take on this device, from the times of single network evaluations and without "
            + "compilation; restore and write nothing.")
    private boolean dryRun;

    @Option(names = "--cells", paramLabel = "FILE.jsonl", description = "The file of cells. Default: cells.jsonl in the output "
            + "folder.")
    private Path cells;

    @Option(names = {"-o", "--out"}, paramLabel = "DIR", required = true, description = "The folder for the tables, which is "
            + "made if it does not exist.")
    private Path out;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        check();
        Pictures pictures = new Pictures(images, size, size);
        List<String> names = pictures.names(skip, limit);
        for (String name : names) {
            pictures.read(name); // a bad picture is reported now and not after hours
        }
        CellPlan plan = CellPlan.of(names, Degradation.of(tasks, sigmas), seeds,
                variants(), Shape.of(1, size, size, 3));
        Setting setting = setting();
        Path file = cells == null ? out.resolve("cells.jsonl") : cells;
        if (dryRun) {
            forecast(plan, setting, file);
        } else {
            engine.rehearse(workers == 1 ? 0 : workers, d -> rehearse(d, plan, pictures)); // a refusal leaves no folder
            Files.createDirectories(out);
            try (CellFile opened = CellFile.open(file, setting)) {
                evaluate(plan, opened, pictures);
                write(plan, plan.select(opened.cells()), pictures);
            }
        }
        return 0;
    }

    private void check() {
        if (size < 1 || skip < 0 || limit < 1 || workers < 1) {
            throw new IllegalArgumentException("eval: expected --size, --limit and --workers of 1 or more and --skip of 0 or "
                    + "more");
        }
        if (workers > 1 && engine.isTimed()) {
            throw new IllegalArgumentException("--time: works with one worker only; leave --workers or --time out");
        }
        if (dryRun && engine.isLimited()) {
            throw new IllegalArgumentException("--memory: --dry-run times networks without a limit; leave one of the two out");
        }
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new IllegalArgumentException(out + ": is a file, expected a folder for the tables; name another with -o");
        }
        if (cells != null) {
            AtomicFile.check(cells);
        }
        engine.check();
    }

    /** Returns what all cells of a file have in common. */
    private Setting setting() throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("version", Version.number());
        values.put("model", Setting.model(folder));
        values.put("pictures", images.toRealPath().getFileName().toString()); // not the path, so that results can be shared
        values.put("size", Integer.toString(size));
        engine.describe(values);
        values.put("spread", Boolean.toString(spread));
        values.put("saved", Boolean.toString(saved != null));
        values.put("lpips", lpips.stream().map(f -> f.getFileName().toString()).collect(Collectors.joining(",")));
        return new Setting(values);
    }

    private List<String> variants() {
        return Stream.concat(Sweep.expand(solvers, sets.stream().map(Sweep::of).toList()).stream(),
                oracles.stream().map(s -> CellPlan.ORACLE + s)).toList();
    }

    private Measures measures() {
        return new Measures(spread, lpips, saved == null ? null : new SavedPictures(saved));
    }

    private void evaluate(CellPlan plan, CellFile file, Pictures pictures) throws IOException {
        int missing = plan.missing(file.cells()).size();
        if (missing == 0) {
            return;
        }
        try (Watching watching = new Watching(plan, file.cells())) {
            if (workers == 1) {
                try (Device device = engine.open(d -> rehearse(d, plan, pictures)); Model model = Tweedie.open(folder, device);
                        Session session = model.session(size, size);
                        CellRunner maker = new CellRunner(session.prior(), pictures, measures())) {
                    new Evaluation(plan, file, List.of(maker), watching).run();
                }
            } else {
                checkModel();
                withWorkers(plan, file, pictures, Math.min(workers, missing), watching);
            }
        }
    }

    /** Makes a cell of each task, noise and solver, and saves nothing. */
    private void rehearse(Device device, CellPlan plan, Pictures pictures) throws IOException {
        String picture = plan.keys().getFirst().picture();
        long seed = plan.keys().getFirst().seed();
        try (Model model = Tweedie.open(folder, device); Session session = model.session(size, size);
                CellRunner maker = new CellRunner(session.prior(), pictures, new Measures(false, lpips, null))) {
            for (Cell.Key key : plan.keys()) {
                if (key.picture().equals(picture) && key.seed() == seed) {
                    maker.make(key);
                }
            }
        } catch (CellFailure e) {
            throw new IllegalStateException("rehearsal for --memory: " + e.getMessage(), e);
        }
    }

    private void withWorkers(CellPlan plan, CellFile file, Pictures pictures, int count, Watching watching) throws IOException {
        List<CellMaker> makers = new ArrayList<>();
        List<String> words = engine.words(workers, d -> rehearse(d, plan, pictures));
        try {
            for (int i = 1; i <= count; i++) {
                makers.add(new WorkerProcess(i, EvalWorker.command(pictures, folder, measures(), words)));
            }
            new Evaluation(plan, file, makers, watching).run();
        } finally {
            makers.forEach(CellMaker::close);
        }
    }

    /** Reports a wrong model or size in one line before the workers would. */
    private void checkModel() throws IOException {
        try (Device none = Tweedie.device("reference"); Model model = Tweedie.open(folder, none)) {
            model.codec().latent(Shape.of(1, size, size, 3));
        }
    }

    private void write(CellPlan plan, List<Cell> all, Pictures pictures) throws IOException {
        Path results = out.resolve("results.csv");
        Path times = out.resolve("times.csv");
        AtomicFile.write(results, CellTable.results(all).getBytes(StandardCharsets.UTF_8));
        AtomicFile.write(times, CellTable.times(all).getBytes(StandardCharsets.UTF_8));
        if (saved != null && !lpips.isEmpty()) {
            try (Device device = engine.open(d -> rehearse(d, plan, pictures)); Lpips features = Lpips.open(lpips, device)) {
                String table = new FrechetTable(new SavedPictures(saved), pictures, features).of(all);
                AtomicFile.write(out.resolve("frechet.csv"), table.getBytes(StandardCharsets.UTF_8));
            }
        }
        Map<String, String> words = new LinkedHashMap<>();
        words.put("evaluated", results.toString());
        words.put("times", times.toString());
        words.put("cells", Integer.toString(all.size()));
        Notes.result(words);
    }

    private void forecast(CellPlan plan, Setting setting, Path file) throws IOException {
        CellFile.Contents done = Files.exists(file) ? CellFile.read(file) : new CellFile.Contents(null, List.of(), 0);
        CellFile.require(file, done, setting);
        try (Device device = engine.open(engine.threads(workers)); Model model = Tweedie.open(folder, device)) {
            Shape latent = model.codec().latent(Shape.of(1, size, size, 3));
            Forecast forecast = new Forecast(plan, plan.missing(done.cells()), 1, spread ? 2 : 1);
            Workloads programs = new Workloads(model, plan.keys().getFirst().task(), latent.dim(1), latent.dim(2));
            forecast.lines(NetworkTimes.measure(device, programs, forecast.left()), workers).forEach(System.out::println);
        }
    }

    /** Shows progress and failures on standard error. */
    private final class Watching implements Evaluation.Watcher, AutoCloseable {
        private final Progress progress = new Progress("eval");
        private final TimeLeft timeLeft;
        private final int total;
        private int done;

        Watching(CellPlan plan, List<Cell> before) {
            total = plan.keys().size();
            timeLeft = new TimeLeft(plan.keys(), workers);
            List<Cell> known = plan.select(before);
            known.forEach(c -> timeLeft.done(c.key(), c.seconds() * (spread ? 2 : 1)));
            done = known.size();
        }

        @Override
        public void done(Cell.Key key, double seconds) {
            timeLeft.done(key, seconds);
            progress.at(++done, total, timeLeft.seconds());
        }

        @Override
        public void failed(Cell.Key key, CellFailure failure) {
            System.err.println("tweedie: failed: " + failure.getMessage());
            timeLeft.failed(key);
            progress.at(++done, total, timeLeft.seconds());
        }

        @Override
        public void close() {
            progress.close();
        }
    }
}
