// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.tweedie.device.Devices;
import picocli.CommandLine.Command;

/** Says what this machine can do, and why not more. */
@Command(name = "doctor", sortOptions = false, description = "Says what each device can do here, or the exact reason why not.")
final class Doctor implements Callable<Integer> {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final Set<String> FEATURES = Set.of("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
            "avx512_fp16", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8");

    @Override
    public Integer call() throws IOException {
        line("tweedie", Version.number());
        line("java", Runtime.version() + " (" + System.getProperty("java.vendor") + ") in " + System.getProperty("java.home"));
        line("system", System.getProperty("os.name") + " " + System.getProperty("os.version") + " on " + System.getProperty("os.arch"));
        line("native access", Doctor.class.getModule().isNativeAccessEnabled() ? "allowed" : "not allowed; start java with --enable-native-access=ALL-UNNAMED");
        boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        line("vector module", vectors ? "there, " + Vectors.preferred() : "missing; start java with --add-modules jdk.incubator.vector");
        processor();
        line("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
        line("heap", "at most " + Numbers.bytes(Runtime.getRuntime().maxMemory()));
        for (String name : Devices.NAMES) {
            Devices.Status s = Devices.status(name);
            line("device " + name, (s.usable() ? "usable: " : "not usable: ") + s.text());
        }
        return 0;
    }

    private static void processor() throws IOException {
        if (!Files.isReadable(CPUINFO)) {
            line("processor", "unknown, " + CPUINFO + " cannot be read");
            return;
        }
        List<String> lines = Files.readAllLines(CPUINFO);
        line("processor", field(lines, "model name"));
        Set<String> features = new TreeSet<>(List.of(field(lines, "flags").split(" ")));
        features.retainAll(FEATURES);
        line("features", features.isEmpty() ? "none that help" : String.join(" ", features));
    }

    private static String field(List<String> lines, String name) {
        return lines.stream().filter(l -> l.startsWith(name)).findFirst().map(l -> l.substring(l.indexOf(':') + 1).strip()).orElse("not told");
    }

    private static void line(String what, String text) {
        System.out.printf("%-18s %s%n", what, text);
    }

    /** Apart, so that it is loaded only where the vector module is. */
    private static final class Vectors {
        static String preferred() {
            return jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.vectorBitSize() + " bits wide";
        }
    }
}
