// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tweedie.Model;
import org.tweedie.Tweedie;
import org.tweedie.cli.console.Converters;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.device.gpu.plan.Work;
import org.tweedie.inverse.Restoration;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Cost;
import org.tweedie.solve.Solver;
import org.tweedie.weights.RandomWeights;
import org.tweedie.workload.Ceilings;
import org.tweedie.workload.Workloads;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how long networks, their derivatives and the parts of STSL take. */
@Command(name = "profile", sortOptions = false,
        description = {"Times the networks of a model.", "",
            "Without --what: times the UNet alone and with its pull-back to the latent; prints a line with medians in seconds, "
                + "GFLOP/s and memory.",
            "With --what: prints a line with a JSON object for each WHAT: unet, decode, encode (with -vjp or -jvp: the network "
                + "and its derivative), inner-step (of STSL) or restore (a whole restoration of noise); unet:2 has a batch of "
                + "two. gemm:SIDE and copy:SIDE time matrix products and element-wise passes over square matrices, which give "
                + "the highest rates of the device. The second half of a line counts the work that a GPU would have, on any "
                + "device: launches, calls of libraries, their operations and bytes.",
            "A model DIR:random has the sizes that the configuration files in DIR give, and random weights (F16).", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie profile --model DIR --height 16 --width 16 --batch 2 --repeat 20",
            "  tweedie profile --model bench/sd15:random --height 64 --width 64 --what unet,unet:2,unet-vjp,decode,inner-step",
            "  tweedie profile --model bench/sd15:random --height 64 --width 64 --what unet --dtype f16 --repeat 0   # counts "
                    + "only"})
final class Profile implements Callable<Integer>, SolverOptions.Taker {
    private static final int WARM_UP = 3;
    private static final String RANDOM = ":random";

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder, or DIR:random for a model "
            + "of the same sizes with random weights.")
    private String folder;

    @Option(names = "--what", paramLabel = "WHAT", split = ",", description = "The programs to time, separated by commas. "
            + "Default: see above.")
    private List<String> what;

    @Option(names = "--height", paramLabel = "N", required = true, description = "Height of the latent.")
    private int height;

    @Option(names = "--width", paramLabel = "N", required = true, description = "Width of the latent.")
    private int width;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "1", description = "Number of samples in a batch. Default: "
            + "${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--repeat", paramLabel = "N", defaultValue = "20",
            description = "Number of timed runs, which follow a few runs that are not timed; 0 only counts the work. Default: "
                    + "${DEFAULT-VALUE}.")
    private int repeat;

    @Option(names = "--task", paramLabel = "TASK", defaultValue = "inpaint:random:0.5",
            description = "The operator of inner-step and restore. Default: ${DEFAULT-VALUE}.")
    private String task;

    private final SolverOptions solverOptions = new SolverOptions();

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || repeat < (what == null ? 1 : 0) || height < 1 || width < 1) {
            throw new IllegalArgumentException("profile: --height, --width, --batch and --repeat must be 1 or more (--repeat 0 "
                    + "with --what only)");
        }
        List<Workloads.Item> items = what == null ? List.of() : what.stream().map(w -> Workloads.Item.parse(w, batch)).toList();
        if (repeat == 0) {
            try (Device none = Tweedie.device("reference"); Model model = unread(none)) {
                Workloads w = new Workloads(model, task, height, width);
                for (Workloads.Item i : items) {
                    if (i.name().equals("restore") || Ceilings.NAMES.contains(i.name())) {
                        throw new IllegalArgumentException("--what: there is nothing to count for '" + i.name()
                                + "'; leave it out, or give --repeat");
                    }
                    System.out.println(counts(head(i.name(), i.batch()), w.program(i.name(), i.batch())));
                }
            }
            return 0;
        }
        engine.check();
        try (Device device = engine.open(d -> rehearse(d, items)); Model model = open(device)) {
            Workloads w = new Workloads(model, task, height, width);
            if (what == null) {
                old(w, device);
            }
            try (Last last = new Last(device)) {
                for (Workloads.Item i : items) {
                    System.out.println(switch (i.name()) {
                        case "restore" -> restored(w);
                        case "gemm", "copy" -> ceiling(i, w, device);
                        default -> timed(i, w, last);
                    });
                }
            }
        }
        return 0;
    }

    private Model open(Device device) throws IOException {
        return folder.endsWith(RANDOM) ? Tweedie.random(Path.of(folder.substring(0, folder.length() - RANDOM.length())), 1,
                DType.F16, device)
                : Tweedie.open(Path.of(folder), device);
    }

    private Model unread(Device device) throws IOException {
        return folder.endsWith(RANDOM) ? Tweedie.unread(Path.of(folder.substring(0, folder.length() - RANDOM.length())),
                DType.F16, device)
                : Tweedie.open(Path.of(folder), device);
    }

    /** Compiles what will be timed, on a device that only plans. */
    private void rehearse(Device device, List<Workloads.Item> items) throws IOException {
        try (Model model = unread(device); Last last = new Last(device)) {
            Workloads w = new Workloads(model, task, height, width);
            List<Workloads.Item> timed = what == null
                    ? List.of(new Workloads.Item("unet", batch), new Workloads.Item("unet-vjp", batch)) : items;
            for (Workloads.Item i : timed) {
                switch (i.name()) {
                    case "restore" -> w.restore(solverOptions.solver(task));
                    case "gemm", "copy" -> {
                        try (RandomWeights random = Ceilings.weights()) {
                            device.compile(Ceilings.chain(i.name(), i.batch(), Ceilings.LONG, random)).close();
                        }
                    }
                    default -> last.next(w.program(i.name(), i.batch()));
                }
            }
        }
    }

    /** Prints the line of a run without --what, which scripts of this project read. */
    private void old(Workloads w, Device device) throws IOException {
        Program forward = w.program("unet", batch);
        Program vjp = w.program("unet-vjp", batch);
        Timing f = time(device, forward, w.inputs(forward));
        Timing v = time(device, vjp, w.inputs(vjp));
        System.out.printf(Locale.ROOT, "latent=%s forward=%.4f forward_vjp=%.4f forward_gflops=%.0f forward_vjp_gflops=%.0f "
                + "arena_mib=%d peak_rss_mib=%d%n",
                forward.input("sample").shape(), f.median, v.median, forward.cost().flops() / f.median / 1e9,
                vjp.cost().flops() / v.median / 1e9,
                v.arena >> 20, peak() >> 20);
    }

    private JsonObject timed(Workloads.Item i, Workloads w, Last last) throws IOException {
        Program p = w.program(i.name(), i.batch());
        long begin = System.nanoTime();
        Executable e = last.next(p);
        double compile = (System.nanoTime() - begin) / 1e9;
        Timing t = time(e, w.inputs(p));
        JsonObject line = head(i.name(), i.batch());
        line.addProperty("repeat", repeat);
        line.addProperty("median_s", t.median);
        line.addProperty("fastest_s", t.fastest);
        if (!Double.isNaN(t.device)) {
            line.addProperty("device_s", t.device);
        }
        line.addProperty("compile_s", compile);
        line.addProperty("gflops", Math.round(p.cost().flops() / t.median / 1e9));
        line.addProperty("arena_bytes", t.arena);
        line.addProperty("device_bytes", last.device.peakBytes());
        line.addProperty("peak_rss_bytes", peak());
        return counts(line, p);
    }

    private JsonObject head(String name, int batch) {
        Map<String, String> engineWords = new LinkedHashMap<>();
        engine.describe(engineWords);
        JsonObject line = new JsonObject();
        line.addProperty("what", name);
        line.addProperty("batch", batch);
        line.addProperty("model", folder);
        JsonArray latent = new JsonArray();
        latent.add(height);
        latent.add(width);
        line.add("latent", latent);
        line.addProperty("device", repeat == 0 ? "none" : engineWords.get("device"));
        line.addProperty("dtype", engineWords.get("dtype"));
        return line;
    }

    /** Adds counts of the work that a GPU has with the program, with tensors stored in the type of --dtype. */
    private JsonObject counts(JsonObject line, Program p) {
        Plan plan = Plan.of(p, real(line));
        Work work = Work.of(plan);
        line.addProperty("flops", p.cost().flops());
        line.addProperty("gpu_launches", work.launches());
        line.addProperty("gpu_calls", work.calls());
        line.addProperty("gpu_arena_bytes", plan.memory().bytes());
        work.parts().forEach((part, cost) -> {
            line.addProperty("gpu_" + Converters.word(part) + "_flops", cost.flops());
            line.addProperty("gpu_" + Converters.word(part) + "_bytes", cost.bytes());
        });
        return line;
    }

    private JsonObject restored(Workloads w) throws IOException {
        Solver solver = solverOptions.solver(task);
        long start = System.nanoTime();
        Restoration x = w.restore(solver);
        JsonObject line = head("restore", 1);
        line.addProperty("seconds", (System.nanoTime() - start) / 1e9);
        Map<String, String> words = new LinkedHashMap<>();
        SolverOptions.words(solver, words);
        for (String word : x.counts().toString().split(" ")) {
            words.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
        }
        words.put("residual", Numbers.of(x.residual(), 3));
        words.forEach(line::addProperty);
        line.addProperty("peak_rss_bytes", peak());
        return line;
    }

    @Override
    public SolverOptions solverOptions() {
        return solverOptions;
    }

    private JsonObject ceiling(Workloads.Item i, Workloads w, Device device) throws IOException {
        JsonObject line = head(i.name(), i.batch());
        try (RandomWeights random = Ceilings.weights()) {
            Program few = Ceilings.chain(i.name(), i.batch(), Ceilings.SHORT, random);
            Program many = Ceilings.chain(i.name(), i.batch(), Ceilings.LONG, random);
            double seconds = time(device, many, w.inputs(many)).median - time(device, few, w.inputs(few)).median;
            if (seconds <= 0) {
                throw new IllegalStateException(i.name() + ":" + i.batch() + ": " + Ceilings.LONG + " passes took no longer than "
                        + Ceilings.SHORT
                        + "; give a larger side");
            }
            Cost most = all(many, line);
            Cost least = all(few, line);
            line.addProperty("seconds_each", seconds / (Ceilings.LONG - Ceilings.SHORT));
            line.addProperty("flops_per_s", (most.flops() - least.flops()) / seconds);
            line.addProperty("bytes_per_s", (most.bytes() - least.bytes()) / seconds);
        }
        return line;
    }

    private static Cost all(Program p, JsonObject line) {
        return Work.of(Plan.of(p, real(line))).parts().values().stream().reduce(Cost.NONE, Cost::plus);
    }

    private static DType real(JsonObject line) {
        return DType.valueOf(line.get("dtype").getAsString().toUpperCase(Locale.ROOT));
    }

    /** Keeps a program open until the next one is compiled, so that weights that both use are uploaded once. */
    private static final class Last implements AutoCloseable {
        private final Device device;
        private Executable open;

        Last(Device device) {
            this.device = device;
        }

        Executable next(Program p) {
            Executable e = device.compile(p);
            close();
            open = e;
            return e;
        }

        @Override
        public void close() {
            if (open != null) {
                open.close();
                open = null;
            }
        }
    }

    /** @param device the median by the device's own clock, without copies; NaN if the device has no clock */
    private record Timing(double median, double fastest, double device, long arena) {}

    private Timing time(Device device, Program p, Map<String, Tensor> in) {
        try (Executable e = device.compile(p)) {
            return time(e, in);
        }
    }

    private Timing time(Executable e, Map<String, Tensor> in) {
        double[] seconds = new double[repeat];
        double[] device = new double[repeat];
        for (int i = -WARM_UP; i < repeat; i++) {
            long start = System.nanoTime();
            e.run(in);
            if (i >= 0) {
                seconds[i] = (System.nanoTime() - start) / 1e9;
                device[i] = e.deviceSeconds();
            }
        }
        Arrays.sort(seconds);
        Arrays.sort(device);
        return new Timing(seconds[repeat / 2], seconds[0], device[repeat / 2], e.arenaBytes());
    }

    /** Returns the peak resident memory of this process in bytes, as Linux counts it. */
    private static long peak() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("/proc/self/status has no VmHWM line");
    }
}
