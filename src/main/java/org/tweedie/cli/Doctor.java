// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.console.Version;
import org.tweedie.device.Devices;
import org.tweedie.device.nvidia.Finding;
import org.tweedie.device.nvidia.Found;
import org.tweedie.device.nvidia.Libraries;
import org.tweedie.device.nvidia.Loaded;
import org.tweedie.device.nvidia.Maven;
import org.tweedie.device.nvidia.Redistributable;
import org.tweedie.device.nvidia.SearchPath;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Prints which devices can be used on this machine, and why the others cannot. */
@Command(name = "doctor", sortOptions = false, description = {
    "Prints for each device whether it can be used on this machine, and the exact reason if it cannot.",
    "NVIDIA's libraries are searched for in the folders of TWEEDIE_CUDA_LIBRARIES, LD_LIBRARY_PATH and CUDA_HOME, then in the "
            + "system's folders, and last among the libraries that --fetch-cuda has fetched.", ""})
final class Doctor implements Callable<Integer> {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final Set<String> FEATURES = Set.of("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl",
            "avx512_vnni", "avx512_bf16",
            "avx512_fp16", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8");
    private static final Set<String> NATIVE = Set.of("avx512_bf16", "amx_bf16");

    @Option(names = "--fetch-cuda", description = "Fetch cuBLAS, cuDNN and NVRTC with Maven (2.0 GB) and unpack them (1.3 GB); "
            + "they need nothing but NVIDIA's driver.")
    private boolean fetch;

    @Option(names = "--jar", paramLabel = "FILE.jar", description = "With --fetch-cuda: unpack this jar, which was fetched "
            + "elsewhere; this needs neither Maven nor a network.")
    private Path jar;

    @Override
    public Integer call() throws IOException {
        if (jar != null && !fetch) {
            throw new IllegalArgumentException("--jar: expected --fetch-cuda too, got --jar alone; add --fetch-cuda");
        }
        if (jar != null) {
            Notes.requireFile(jar);
        }
        if (fetch) {
            line("fetch-cuda", new FetchCuda(Redistributable.CUDA_12_6, SearchPath.fetched(),
                    new Maven(System.getenv())).run(jar));
        }
        line("tweedie", Version.number());
        line("java", Runtime.version() + " (" + System.getProperty("java.vendor") + ") in " + System.getProperty("java.home"));
        line("system", System.getProperty("os.name") + " " + System.getProperty("os.version") + " on "
                + System.getProperty("os.arch"));
        line("native access", Doctor.class.getModule().isNativeAccessEnabled() ? "allowed"
                : "not allowed; start java with --enable-native-access=ALL-UNNAMED");
        boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        line("vector module", vectors ? "present, " + Vectors.preferred() : "missing; start java with --add-modules "
                + "jdk.incubator.vector");
        processor();
        line("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
        line("heap", "at most " + Numbers.bytes(Runtime.getRuntime().maxMemory()));
        nvidia(Libraries.find());
        for (String name : Devices.NAMES) {
            Devices.Status s = Devices.status(name);
            line("device " + name, (s.usable() ? "usable: " : "not usable: ") + s.text());
        }
        return 0;
    }

    /**
     * Prints where NVIDIA's libraries are and the versions of those that load. For a library that does not load, prints the
     * loader's reason.
     */
    private static void nvidia(Libraries libraries) {
        for (Finding f : libraries.all()) {
            line(f.what(), (f instanceof Found ? "" : "not found: ") + f.text());
        }
        if (libraries.cublas() instanceof Found && libraries.cudnn() instanceof Found && libraries.nvrtc() instanceof Found) {
            try {
                Loaded l = Loaded.of(libraries);
                line("loaded", "cuBLAS " + l.cublasVersion() + ", cuDNN " + l.cudnnText() + " for CUDA " + l.cudnnCudaText()
                        + ", NVRTC " + l.nvrtcVersion());
            } catch (UnsatisfiedLinkError e) {
                line("not loaded", e.getMessage());
            }
        }
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
        line("features", features.isEmpty() ? "none that Tweedie uses" : String.join(" ", features));
        features.retainAll(NATIVE);
        line("native bf16", (features.isEmpty() ? "none; --dtype bf16 works on cpu and is slow" : String.join(" ", features))
                + automatic());
    }

    /** Tells what --dtype auto is on cpu; empty where oneDNN cannot be loaded, which the line of the device explains. */
    private static String automatic() {
        try {
            return "; on cpu --dtype auto is " + Devices.fastest("cpu").name().toLowerCase(Locale.ROOT);
        } catch (Devices.Unavailable e) {
            return "";
        }
    }

    private static String field(List<String> lines, String name) {
        return lines.stream().filter(l -> l.startsWith(name)).findFirst().map(l -> l.substring(l.indexOf(':') + 1).strip())
                .orElse("unknown");
    }

    private static void line(String what, String text) {
        System.out.printf("%-18s %s%n", what, text);
    }

    /** A class of its own, so that it is loaded only if the vector module is present. */
    private static final class Vectors {
        static String preferred() {
            return jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.vectorBitSize() + " bits wide";
        }
    }
}
