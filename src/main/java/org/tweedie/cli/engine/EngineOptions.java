// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.device.ByteSize;
import org.tweedie.device.Device;
import org.tweedie.device.DeviceOptions;
import org.tweedie.device.Devices;
import org.tweedie.device.OpTimes;
import org.tweedie.options.Spelling;
import org.tweedie.program.DType;
import org.tweedie.workload.Rates;
import org.tweedie.workload.TimedDevice;
import picocli.CommandLine.Option;

/** The options that say on which device and how the networks run. */
public final class EngineOptions {
    private static final List<String> DTYPES = List.of("f32", "bf16", "f16");

    @Option(names = "--device", paramLabel = "NAME", defaultValue = "cpu",
            description = "The device to run on: cpu; cuda (an NVIDIA GPU); reference (slow, in double precision); or sim "
                    + "(slower, runs the GPU's kernels on a simulated GPU). "
                    + "Default: ${DEFAULT-VALUE}.")
    private String device;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "The type in which networks store their results: f32; on cuda "
            + "and sim also bf16 and f16. Default: bf16 on cuda, else f32.")
    private String dtype;

    @Option(names = "--threads", paramLabel = "N", description = "The number of processor threads that cpu and sim use. On cpu "
            + "it may change the last bits of results (docs/numerics.md). Default: all.")
    private Integer threads;

    @Option(names = "--graphs", paramLabel = "on|off", defaultValue = "on",
            description = "On cuda, 'on' launches a program as one CUDA graph; 'off' waits for each kernel, so that an error "
                    + "names the kernel. Default: ${DEFAULT-VALUE}.")
    private String graphs;

    @Option(names = "--card", paramLabel = "N", defaultValue = "0", description = "On cuda: the number of the GPU to use. "
            + "Default: ${DEFAULT-VALUE}.")
    private int card;

    @Option(names = "--time", description = "On cpu and cuda: print at the end how long each kind of op and each network "
            + "evaluation took.")
    private boolean time;

    @Option(names = "--nvtx", description = "On cuda: mark each network evaluation with its name for NVIDIA's profilers.")
    private boolean nvtx;

    @Option(names = "--memory", paramLabel = "SIZE", description = "On cpu: the most memory that the process may take, as in "
            + "6G or 800M. Counted are weights, the largest arena, and 512M for everything else. If the run does not fit as it "
            + "is, it computes values twice instead of keeping them, which changes no result; if it still does not fit, it is "
            + "refused before it begins. Default: no limit.")
    private String memory;

    @Option(names = "--arena", paramLabel = "BYTES", hidden = true, description = "On cpu: the most memory of an arena.")
    private Long arena;

    private Long fitted; // the limit of arenas under which the work of this command fits; null before it is rehearsed

    /** @throws IllegalArgumentException when there is no such device or dtype */
    public void check() {
        if (!Devices.NAMES.contains(device)) {
            throw new IllegalArgumentException("device '" + device + "' unavailable: this version has no such device"
                    + Spelling.suggestion(device, Devices.NAMES) + "; available: " + String.join(", ", Devices.available()));
        }
        if (dtype != null) {
            Spelling.check("dtype", dtype, DTYPES);
        }
        Spelling.check("graphs", graphs, List.of("on", "off"));
        if (threads != null && threads < 1) {
            throw new IllegalArgumentException("--threads: expected at least 1, got " + threads);
        }
        if (memory != null && ByteSize.parse("--memory", memory) > 0 && !device.equals("cpu")) {
            throw new IllegalArgumentException("--memory: works with --device cpu only, got " + device);
        }
    }

    /** Opens the device with a number of processor threads. */
    public Device open(int threads) {
        check();
        return open(options(threads));
    }

    /**
     * Opens the device for some work. With --memory, the work is rehearsed before.
     *
     * @throws IllegalArgumentException when the work does not fit into --memory, with the smallest figure that would
     */
    public Device open(MemoryLimit.Work work) throws IOException {
        check();
        rehearse(0, work);
        DeviceOptions options = options(threads(1));
        return open(fitted == null ? options : options.withArena(fitted));
    }

    private Device open(DeviceOptions o) {
        Device opened = Devices.open(device, o);
        return time ? new TimedDevice(opened, o.times(), System.err::println) : opened;
    }

    private DeviceOptions options(int threads) {
        DType real = dtype == null ? null : DType.valueOf(dtype.toUpperCase(Locale.ROOT));
        return new DeviceOptions(threads, real, graphs.equals("on"), card, time ? new OpTimes() : null, nvtx,
                arena == null ? Long.MAX_VALUE : arena);
    }

    /**
     * Rehearses work if there is --memory, once: a command has one kind of work.
     *
     * @param workers the number of processes that will do it; 0 if this one does
     * @throws IllegalArgumentException when it does not fit, with the smallest figure that would
     */
    public void rehearse(int workers, MemoryLimit.Work work) throws IOException {
        if (memory != null && fitted == null) {
            fitted = fit(options(threads(Math.max(1, workers))), workers, work).arena();
        }
    }

    private MemoryLimit.Fit fit(DeviceOptions options, int workers, MemoryLimit.Work work) throws IOException {
        return new MemoryLimit(memory == null ? Long.MAX_VALUE : ByteSize.parse("--memory", memory), workers)
                .fit(device, options, work);
    }

    /** Measures the best rates of the device, which takes a second. */
    public Rates rates() {
        OpTimes times = new OpTimes();
        DeviceOptions o = options(threads(1));
        try (Device measured = Devices.open(device, new DeviceOptions(o.threads(), o.real(), true, card, times, false))) {
            return Rates.measure(measured, times);
        }
    }

    /** Rehearses work and tells what it takes, also where there is no --memory. It opens no device. */
    public MemoryLimit.Fit plan(MemoryLimit.Work work) throws IOException {
        check();
        return fit(options(threads(1)), 0, work);
    }

    /** Returns the number of threads of each of several processes: what --threads says, or an equal share of the processors. */
    public int threads(int processes) {
        return threads == null ? Math.max(1, Runtime.getRuntime().availableProcessors() / processes) : threads;
    }

    /** Returns whether the device is to report times when it is closed. */
    public boolean isTimed() {
        return time;
    }

    /** Returns whether there is a limit of memory. */
    public boolean isLimited() {
        return memory != null;
    }

    /**
     * Returns the words that give each of several processes these options, with an equal share of threads and memory, and
     * without --time.
     *
     * @param work what each of them will do, which is rehearsed if there is --memory
     */
    public List<String> words(int processes, MemoryLimit.Work work) throws IOException {
        int threads = threads(processes);
        List<String> words = new ArrayList<>(List.of("--device", device, "--threads", Integer.toString(threads), "--graphs",
                graphs, "--card", Integer.toString(card)));
        if (dtype != null) {
            words.addAll(List.of("--dtype", dtype));
        }
        if (nvtx) {
            words.add("--nvtx");
        }
        if (memory != null) {
            rehearse(processes, work);
            words.addAll(List.of("--arena", fitted.toString()));
        }
        return words;
    }

    /** Adds the options that results depend on. */
    public void describe(Map<String, String> text) {
        text.put("device", device);
        text.put("dtype", dtype == null ? Devices.real(device).name().toLowerCase(Locale.ROOT) : dtype);
    }
}
