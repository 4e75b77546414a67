// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tweedie.Model;
import org.tweedie.Tweedie;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.cli.engine.MemoryLimit;
import org.tweedie.device.ByteSize;
import org.tweedie.device.Device;
import org.tweedie.device.Footprint;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.solve.Solver;
import org.tweedie.workload.Ceilings;
import org.tweedie.workload.Rates;
import org.tweedie.workload.Recording;
import org.tweedie.workload.Workloads;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tells what networks and restorations will take, before anything runs. */
@Command(name = "plan", sortOptions = false,
        description = {"Tells how much memory and work the networks of a model take, before anything runs.", "",
            "For each WHAT it prints the weights and the arena (all other values and working memory), operations, bytes that are "
                + "read and written, and seconds, in total and for each block of the network. The memory is exactly what a run "
                + "takes on this machine, besides an allowance of 512M for everything else in the process. Seconds are the "
                + "least time, at the best rates that products of matrices and passes over memory reach, which are measured "
                + "(this takes a second); expect a quarter more. Weights are not read. A model DIR:random needs configuration "
                + "files only.",
            "WHAT is a word of 'profile --what': text, unet, decode, encode (with -vjp or -jvp), inner-step, or restore, which "
                + "is a whole restoration with --solver and --task; unet:2 has a batch of two.",
            "With --memory each WHAT is planned in the form in which it fits, or it is refused.", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie plan DIR --height 512 --width 512",
            "  tweedie plan bench/sd15:random --height 512 --width 512 --what restore --solver psld --memory 6G"})
final class PlanNetworks implements Callable<Integer>, SolverOptions.Taker {
    private static final String RANDOM = ":random";

    @Parameters(index = "0", paramLabel = "MODEL", description = "Checkpoint folder, or DIR:random for a model of the same "
            + "sizes without weight files.")
    private String folder;

    @Option(names = "--height", paramLabel = "PIXELS", required = true, description = "Height of the picture.")
    private int height;

    @Option(names = "--width", paramLabel = "PIXELS", required = true, description = "Width of the picture.")
    private int width;

    @Option(names = "--what", paramLabel = "WHAT", split = ",",
            defaultValue = "unet,unet-vjp,decode,decode-vjp,encode,inner-step",
            description = "What to plan, separated by commas. Default: ${DEFAULT-VALUE}.")
    private List<String> what;

    @Option(names = "--task", paramLabel = "TASK", defaultValue = "inpaint:random:0.5",
            description = "The operator of inner-step and restore. Default: ${DEFAULT-VALUE}.")
    private String task;

    private final SolverOptions solverOptions = new SolverOptions();

    @Mixin
    private EngineOptions engine;

    @Override
    public SolverOptions solverOptions() {
        return solverOptions;
    }

    @Override
    public Integer call() throws IOException {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException("plan: expected --height and --width of 1 or more");
        }
        List<Workloads.Item> items = what.stream().map(w -> Workloads.Item.parse(w, 1)).toList();
        for (Workloads.Item i : items) {
            if (Ceilings.NAMES.contains(i.name())) {
                throw new IllegalArgumentException("--what: '" + i.name() + "' is not a part of a model; leave it out");
            }
        }
        Solver solver = solverOptions.solver(task);
        engine.check();
        Map<Workloads.Item, Planned> all = new LinkedHashMap<>();
        for (Workloads.Item i : items) {
            all.put(i, plan(i, solver)); // a refusal comes before any output
        }
        Rates rates = engine.rates();
        System.out.printf(Locale.ROOT, "rates: %.1f GFLOP/s in products, %.1f GB/s in passes over memory%n", rates.flops() / 1e9,
                rates.bytes() / 1e9);
        all.forEach((item, planned) -> print(item, planned, rates));
        return 0;
    }

    private record Planned(Recording recording, Footprint footprint) {}

    private Planned plan(Workloads.Item item, Solver solver) throws IOException {
        Recording[] last = new Recording[1]; // a second rehearsal, in less memory, replaces the first
        try {
            MemoryLimit.Fit fit = engine.plan(device -> {
                last[0] = new Recording(device);
                rehearse(last[0], item, solver);
            });
            return new Planned(last[0], fit.footprint());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("plan " + item + ": " + e.getMessage(), e);
        }
    }

    private void rehearse(Device device, Workloads.Item item, Solver solver) throws IOException {
        try (Model model = open(device)) {
            Shape latent = model.codec().latent(Shape.of(1, height, width, 3));
            Workloads w = new Workloads(model, task, latent.dim(1), latent.dim(2));
            if (item.name().equals("restore")) {
                w.restore(solver);
            } else {
                device.compile(w.program(item.name(), item.batch())).close();
            }
        }
    }

    private Model open(Device device) throws IOException {
        return folder.endsWith(RANDOM) ? Tweedie.unread(Path.of(folder.substring(0, folder.length() - RANDOM.length())),
                DType.F16, device)
                : Tweedie.open(Path.of(folder), device);
    }

    private static void print(Workloads.Item item, Planned planned, Rates rates) {
        boolean whole = item.name().equals("restore");
        System.out.printf("%n%-40s %8s %11s %9s %9s%s%n", item, "arena", "GFLOP", "GB", "seconds", whole ? "     runs" : "");
        double seconds = 0;
        double flops = 0;
        double bytes = 0;
        for (Recording.Part p : planned.recording.parts()) {
            long runs = whole ? p.runs() : 1;
            Recording.Block all = p.whole(rates);
            seconds += runs * all.seconds();
            flops += (double) runs * all.cost().flops();
            bytes += (double) runs * all.cost().bytes();
            if (whole) {
                System.out.println(line(p.program().name(), all) + String.format("%9d", runs));
            } else {
                p.blocks(rates).forEach(b -> System.out.println(line(b.name().isEmpty() ? "(inputs)" : b.name(), b)));
            }
        }
        Map<String, String> words = new LinkedHashMap<>();
        words.put("what", item.toString());
        words.put("weights", ByteSize.text(planned.footprint.weights()));
        words.put("arena", ByteSize.text(planned.footprint.arena()));
        words.put("process", ByteSize.text(MemoryLimit.process(planned.footprint)));
        words.put("gflop", Numbers.of(flops / 1e9, 1));
        words.put("gbyte", Numbers.of(bytes / 1e9, 1));
        words.put("seconds", Numbers.of(seconds, 2));
        Notes.result(words);
    }

    private static String line(String name, Recording.Block b) {
        return String.format(Locale.ROOT, "%-40s %8s %11.2f %9.3f %9.3f", name, ByteSize.text(b.arena()), b.cost().flops() / 1e9,
                b.cost().bytes() / 1e9, b.seconds());
    }
}
