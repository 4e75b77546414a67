// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

/** Says what this machine can do, and why not more. */
@Command(name = "doctor", sortOptions = false, description = {"Says what each device can do here, or the exact reason why not.",
    "NVIDIA's libraries are looked for in the folders of TWEEDIE_CUDA_LIBRARIES, LD_LIBRARY_PATH, CUDA_HOME, the system's, then what",
    "--fetch-cuda has fetched.", ""})
final class Doctor implements Callable<Integer> {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final Set<String> FEATURES = Set.of("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
            "avx512_fp16", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8");

    @Option(names = "--fetch-cuda", description = "Fetch cuBLAS, cuDNN and NVRTC with Maven (2.0 GB) and unpack them (1.3 GB); NVIDIA's driver is all they need.")
    private boolean fetch;

    @Option(names = "--jar", paramLabel = "FILE.jar", description = "With --fetch-cuda: unpack this jar, fetched elsewhere, with neither Maven nor network.")
    private Path jar;

    @Override
    public Integer call() throws IOException {
        if (jar != null && !fetch) {
            throw new IllegalArgumentException("--jar: expected with --fetch-cuda, got it alone; add --fetch-cuda");
        }
        if (jar != null) {
            Notes.requireFile(jar);
        }
        if (fetch) {
            line("fetch-cuda", new FetchCuda(Redistributable.CUDA_12_6, SearchPath.fetched(), new Maven(System.getenv())).run(jar));
        }
        line("tweedie", Version.number());
        line("java", Runtime.version() + " (" + System.getProperty("java.vendor") + ") in " + System.getProperty("java.home"));
        line("system", System.getProperty("os.name") + " " + System.getProperty("os.version") + " on " + System.getProperty("os.arch"));
        line("native access", Doctor.class.getModule().isNativeAccessEnabled() ? "allowed" : "not allowed; start java with --enable-native-access=ALL-UNNAMED");
        boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        line("vector module", vectors ? "there, " + Vectors.preferred() : "missing; start java with --add-modules jdk.incubator.vector");
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

    /** What loads is asked for its version; a library that is there and does not load is told with the loader's reason. */
    private static void nvidia(Libraries libraries) {
        for (Finding f : libraries.all()) {
            line(f.what(), (f instanceof Found ? "" : "not there: ") + f.text());
        }
        if (libraries.cublas() instanceof Found && libraries.cudnn() instanceof Found && libraries.nvrtc() instanceof Found) {
            try {
                Loaded l = Loaded.of(libraries);
                line("loaded", "cuBLAS " + l.cublasVersion() + ", cuDNN " + l.cudnnText() + " for CUDA " + l.cudnnCudaText() + ", NVRTC " + l.nvrtcVersion());
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
