// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.DeviceOptions;
import org.tweedie.device.Devices;
import org.tweedie.device.OpTimes;
import org.tweedie.options.Spelling;
import org.tweedie.program.DType;
import org.tweedie.workload.TimedDevice;
import picocli.CommandLine.Option;

/** The options that say on which device and how the networks run. */
final class EngineOptions {
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

    /** @throws IllegalArgumentException when there is no such device or dtype */
    void check() {
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
    }

    Device open() {
        return open(threads(1));
    }

    /** Opens the device with a number of processor threads. */
    Device open(int threads) {
        check();
        OpTimes times = time ? new OpTimes() : null;
        DType real = dtype == null ? null : DType.valueOf(dtype.toUpperCase(Locale.ROOT));
        Device opened = Devices.open(device, new DeviceOptions(threads, real, graphs.equals("on"), card, times, nvtx));
        return time ? new TimedDevice(opened, times, System.err::println) : opened;
    }

    /** Returns the number of threads of each of several processes: what --threads says, or an equal share of the processors. */
    int threads(int processes) {
        return threads == null ? Math.max(1, Runtime.getRuntime().availableProcessors() / processes) : threads;
    }

    /** Returns whether the device is to report times when it is closed. */
    boolean isTimed() {
        return time;
    }

    /** Returns the words that give another process these options, with a number of threads and without --time. */
    List<String> words(int threads) {
        List<String> words = new ArrayList<>(List.of("--device", device, "--threads", Integer.toString(threads), "--graphs",
                graphs, "--card", Integer.toString(card)));
        if (dtype != null) {
            words.addAll(List.of("--dtype", dtype));
        }
        if (nvtx) {
            words.add("--nvtx");
        }
        return words;
    }

    /** Adds the options that results depend on. */
    void describe(Map<String, String> text) {
        text.put("device", device);
        text.put("dtype", dtype == null ? Devices.real(device).name().toLowerCase(Locale.ROOT) : dtype);
    }
}
