// SPDX-License-Identifier: Apache-2.0
package org.tweedie.bench;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.device.cpu.OpBenchmark;
import org.tweedie.program.op.Cost;

/**
 * Runs JMH with its own arguments; beside its results the file that it writes says on which machine, at which commit and by
 * which command they were made.
 */
public final class Bench {
    private Bench() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException, IOException, InterruptedException {
        CommandLineOptions options = new CommandLineOptions(args);
        if (options.shouldHelp()) {
            options.showHelp();
            return;
        }
        Path out = Path.of(options.getResult().orElse("target/bench/results.json"));
        JsonObject all = new JsonObject();
        all.add("machine", machine());
        String words = Arrays.stream(args).map(a -> a.contains(" ") ? '"' + a + '"' : a).collect(Collectors.joining(" "));
        all.addProperty("command", "mvn -q -P bench -Djmh='" + words + "'");
        Path raw = Files.createTempFile("jmh", ".json");
        Collection<RunResult> results = new Runner(new OptionsBuilder().parent(options).resultFormat(ResultFormatType.JSON)
                .result(raw.toString()).build()).run();
        all.add("results", trimmed(JsonParser.parseString(Files.readString(raw)).getAsJsonArray()));
        Files.delete(raw);
        Files.createDirectories(out.toAbsolutePath().getParent());
        Files.writeString(out, new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(all) + "\n");
        rates(results);
        System.out.println(out);
    }

    /** Without what says the same in each entry, what follows from the rest, and where files lie on this machine. */
    private static JsonArray trimmed(JsonArray results) {
        for (var each : results) {
            JsonObject o = each.getAsJsonObject();
            for (String name : new String[] {"jvm", "jvmArgs", "jmhVersion", "jdkVersion", "vmName", "vmVersion",
                    "warmupBatchSize", "measurementBatchSize", "secondaryMetrics"}) {
                o.remove(name);
            }
            for (String name : new String[] {"rawData", "scorePercentiles", "scoreConfidence"}) {
                o.getAsJsonObject("primaryMetric").remove(name);
            }
        }
        return results;
    }

    private static void rates(Collection<RunResult> results) {
        for (RunResult r : results) {
            if (r.getParams().getBenchmark().startsWith(OpBenchmark.class.getName())) {
                String op = r.getParams().getParam("op");
                Cost cost = OpBenchmark.cost(op);
                double ms = r.getPrimaryResult().getScore();
                System.out.printf(Locale.ROOT, "%9.3f ms %7.1f GFLOP/s %6.1f GB/s  %s%n", ms, cost.flops() / ms / 1e6,
                        cost.bytes() / ms / 1e6, op);
            }
        }
    }

    private static JsonObject machine() throws IOException, InterruptedException {
        JsonObject m = new JsonObject();
        m.addProperty("processor", Files.readAllLines(Path.of("/proc/cpuinfo")).stream().filter(l -> l.startsWith("model name"))
                .findFirst()
                .map(l -> l.replaceAll(".*: ", "")).orElse("unknown"));
        m.addProperty("cores", Runtime.getRuntime().availableProcessors());
        try (Device cpu = Devices.open("cpu", Runtime.getRuntime().availableProcessors())) {
            // oneDNN's version, the instructions that it uses, the width of our vectors
            m.addProperty("cpu device", cpu.description());
        }
        m.addProperty("java", Runtime.version() + ", " + System.getProperty("java.vm.vendor"));
        m.addProperty("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        boolean clean = git("status", "--porcelain", "--untracked-files=no").isEmpty();
        m.addProperty("commit", git("rev-parse", "--short", "HEAD") + (clean ? "" : ", changed since"));
        m.addProperty("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        // of other programs as well: more than a little of it before the run, and the times are not to be trusted
        m.addProperty("load before", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
        return m;
    }

    private static String git(String... args) throws IOException, InterruptedException {
        String[] line = new String[args.length + 1];
        line[0] = "git";
        System.arraycopy(args, 0, line, 1, args.length);
        Process p = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return p.waitFor() == 0 ? out : "unknown";
    }
}
