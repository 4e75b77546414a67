// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.util.List;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import picocli.CommandLine.Option;

/** On what and how the networks run. */
final class EngineOptions {
    private static final List<String> DTYPES = List.of("f32");

    @Option(names = "--device", paramLabel = "NAME", defaultValue = "cpu",
            description = "Where to run: cpu; reference (slow, in double precision); or sim (slower, the GPU's kernels on a simulated GPU). Default: ${DEFAULT-VALUE}.")
    private String device;

    @Option(names = "--dtype", paramLabel = "TYPE", defaultValue = "f32", description = "Precision: f32. Default: ${DEFAULT-VALUE}.")
    private String dtype;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of the CPU. It may change last bits (docs/numerics.md). Default: all.")
    private Integer threads;

    /** @throws IllegalArgumentException when there is no such device or dtype */
    void check() {
        if (!Devices.NAMES.contains(device)) {
            throw new IllegalArgumentException("device '" + device + "' unavailable: this version has no such device"
                    + Choice.meant(device, Devices.NAMES) + "; available: " + String.join(", ", Devices.available()));
        }
        Choice.of("dtype", dtype, DTYPES);
        if (threads != null && threads < 1) {
            throw new IllegalArgumentException("--threads: expected at least 1, got " + threads);
        }
    }

    Device open() {
        check();
        return Devices.open(device, threads == null ? Runtime.getRuntime().availableProcessors() : threads);
    }

    /** Adds what results depend on. */
    void describe(Map<String, String> text) {
        text.put("device", device);
        text.put("dtype", dtype);
    }
}
