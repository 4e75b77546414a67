// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests NVIDIA's own libraries in a JVM of their own, without a GPU. They are taken from what {@code doctor --fetch-cuda} has
 * fetched, or else unpacked below target from the jar in the local Maven repository. Where neither exists the tests are skipped,
 * unless the profile cuda-libraries asks for them.
 */
class LoadedTest {
    private static final Path UNPACKED = Path.of("target/cuda-12.6").toAbsolutePath();
    private static final Redistributable CUDA = Redistributable.CUDA_12_6;

    @TempDir
    private Path root;

    /** The folder of the libraries. */
    private static Path libraries() throws IOException {
        if (CUDA.isIn(SearchPath.fetched())) {
            return SearchPath.fetched();
        }
        Path jar = Path.of(System.getProperty("tweedie.cuda.jar", "none"));
        boolean there = Files.exists(jar) || CUDA.isIn(UNPACKED);
        assertTrue(there || !Boolean.getBoolean("tweedie.cuda.required"), "the profile cuda-libraries should have fetched "
                + jar);
        need(there, "NVIDIA's libraries are not here: neither " + SearchPath.fetched() + " (doctor --fetch-cuda) nor " + jar
                + " (mvn -P cuda-libraries test, 2.0 GB)");
        CUDA.unpack(jar, UNPACKED, (done, doing) -> { });
        return UNPACKED;
    }

    /** Skips a test and prints why, because the console does not show the text of an assumption. */
    private static void need(boolean there, String text) {
        if (!there) {
            System.out.println("skipped: " + text);
        }
        assumeTrue(there, text);
    }

    /** Returns what {@link LoadLibraries} prints, by name. */
    private Map<String, String> child(String folders, String... args) throws IOException, InterruptedException {
        Path temporary = Files.createDirectories(root.resolve("tmp"));
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + temporary, "-cp", System.getProperty("java.class.path"), LoadLibraries.class.getName()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("XDG_CACHE_HOME", root.resolve("cache").toString());
        builder.environment().put(SearchPath.VARIABLE, folders);
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), out);
        System.out.println(out.strip().indent(4));
        try (Stream<Path> left = Files.list(temporary)) {
            assertEquals(List.of(), left.filter(p -> p.getFileName().toString().contains("JCu")).toList(),
                    "JCuda's natives stay out of the temporary folder");
        }
        Map<String, String> said = new LinkedHashMap<>();
        out.lines().filter(l -> l.contains(": "))
                .forEach(l -> said.put(l.substring(0, l.indexOf(": ")), l.substring(l.indexOf(": ") + 2)));
        return said;
    }

    @Test
    void everythingLoadsWithoutAGpu() throws Exception {
        Map<String, String> said = child(libraries().toString());
        assertEquals("12.6.3", said.get("cuBLAS"));
        assertEquals("9.5.1", said.get("cuDNN"));
        assertEquals("12.6", said.get("cuDNN's CUDA"));
        assertEquals("12.6", said.get("NVRTC"));
        assertEquals("0", said.get("nvrtcCompileProgram"));
        assertTrue(said.get("JCuda's CUDA runtime").startsWith("12."), said.toString());
        if (said.get("driver there").equals("no")) {
            assertEquals("1001", said.get("cudnnCreate"), "CUDNN_STATUS_NOT_INITIALIZED");
            assertEquals("1", said.get("cublasCreate_v2"), "CUBLAS_STATUS_NOT_INITIALIZED");
            assertEquals("CUBLAS_STATUS_NOT_INITIALIZED", said.get("JCublas2.cublasCreate"));
            assertEquals("cudaErrorInsufficientDriver", said.get("cudaGetDeviceCount"));
        }
    }

    @Test
    void jcudasDriverHalfLoadsWhereTheDriverIs() throws Exception {
        String driver = Libraries.find().driver().text();
        need(Libraries.find().driver() instanceof Found, "JCudaDriver needs NVIDIA's driver: " + driver);
        assertEquals("loaded", child("", "bare").get("driver"));
    }

    @Test
    void whatJcudaLacksIsToldInOneLine() throws Exception {
        Libraries here = Libraries.find();
        need(!(here.driver() instanceof Found), "NVIDIA's driver is here, so nothing is lacking");
        Map<String, String> said = child("", "bare");
        String driver = said.get("DRIVER failed");
        assertTrue(driver.startsWith("JCuda: libJCudaDriver-12.6.0-linux-x86_64.so does not load: ")
                && driver.contains("libcuda.so.1: cannot open shared object file")
                && driver.endsWith("; it needs NVIDIA's driver (libcuda.so.1); './tweedie doctor' lists the libraries that "
                + "were found"), driver);
        assertFalse(said.containsKey("RUNTIME failed"), said.toString());
        String cublas = said.get("CUBLAS failed");
        need(cublas != null, "the loader finds a libcublas.so.12 by itself");
        assertTrue(cublas.contains("libcublas.so.12: cannot open shared object file")
                && cublas.contains("it needs libcublas.so.12"), cublas);
    }
}
