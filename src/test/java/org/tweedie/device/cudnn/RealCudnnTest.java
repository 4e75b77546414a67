// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Tests a real cuDNN, in a JVM of its own, without a card: {@code mvn test -Dtest=RealCudnnTest -Dtweedie.cudnn=FOLDER}, where
 * FOLDER has libcudnn.so.9 and all of its parts, with cuBLAS and NVRTC on LD_LIBRARY_PATH. Otherwise the tests are skipped.
 */
class RealCudnnTest {
    /** The calls of one storage type: 8 attentions with two pull-backs each, 11 convolutions with 7 calls each. */
    private static final int CALLS = 8 * 3 + 11 * 7;

    @Test
    void preparesWhatItTakesForAnH100() throws Exception {
        String folder = System.getProperty("tweedie.cudnn");
        assumeTrue(folder != null, "-Dtweedie.cudnn names no folder");
        assertTrue(Files.exists(Path.of(folder, "libcudnn.so.9")), folder + " holds no libcudnn.so.9");
        List<String> lines = run(folder, 90);
        assertEquals(3 * CALLS, lines.stream().filter(l -> l.startsWith("ok ") || l.startsWith("no ")).count(),
                String.join("\n", lines));
        long version = Long.parseLong(lines.getFirst().substring("version ".length()));
        for (String line : lines.subList(1, lines.size())) {
            if (!refused(line, version) && !needsDriver(line, version)) {
                assertTrue(line.startsWith("ok "), line);
            }
        }
    }

    /**
     * Calls that are refused: attention in F32 and, in early versions, pull-backs for numbers of keys that are not a multiple of
     * 128.
     */
    private static boolean refused(String line, long version) {
        return line.contains("Attention") && line.contains("q:F32")
                || line.contains("AttentionVjp") && version <= 91500
                && (line.contains("k:F16[2,77") || line.contains("k:BF16[2,77")
                        || line.contains("k:F16[2,64,") || line.contains("k:BF16[2,64,"));
    }

    /** Engines that cuDNN compiles ask for the driver's library, even for a card that is not present. */
    private static boolean needsDriver(String line, long version) {
        boolean compiled = line.contains("DotProductAttention") || line.contains("silu") || line.contains(" t:");
        return version >= 90800 && compiled && !driverIsThere();
    }

    private static boolean driverIsThere() {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup("libcuda.so.1", arena);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static List<String> run(String folder, int capability) throws IOException, InterruptedException {
        ProcessBuilder b = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), RealCudnn.class.getName(),
                folder,
                Integer.toString(capability)).redirectErrorStream(true);
        Process p = b.start();
        List<String> lines = new String(p.getInputStream().readAllBytes()).lines().toList();
        assertEquals(0, p.waitFor(), String.join("\n", lines));
        assertFalse(lines.isEmpty());
        return lines;
    }
}
