// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchPathTest {
    private static final Path HOME = Path.of("/home/me");

    private static List<String> told(Map<String, String> env, Path... system) {
        return SearchPath.of(env, HOME, List.of(system)).places().stream().map(p -> p.folder() + " " + p.origin()).toList();
    }

    @Test
    void theOrderIsNamedThenLoaderPathThenToolkitThenSystemThenFetched() {
        assertEquals(List.of("/a TWEEDIE_CUDA_LIBRARIES", "/b TWEEDIE_CUDA_LIBRARIES", "/c LD_LIBRARY_PATH",
                "/cuda/lib64 CUDA_HOME or CUDA_PATH",
                        "/old/lib64 CUDA_HOME or CUDA_PATH", "/usr/lib the system's folders",
                        "/cache/tweedie/cuda-12.6 doctor --fetch-cuda"),
                told(Map.of("CUDA_PATH", "/old", "CUDA_HOME", "/cuda", "LD_LIBRARY_PATH", "/c::/a/", "TWEEDIE_CUDA_LIBRARIES",
                "/a:/b", "XDG_CACHE_HOME", "/cache"),
                        Path.of("/usr/lib"), Path.of("/c")));
    }

    @Test
    void anEmptyEnvironmentLeavesTheSystemAndTheUsersCache() {
        assertEquals(List.of("/usr/lib the system's folders", "/home/me/.cache/tweedie/cuda-12.6 doctor --fetch-cuda"),
                told(Map.of("XDG_CACHE_HOME", "", "LD_LIBRARY_PATH", ""), Path.of("/usr/lib")));
    }

    @Test
    void theLoadersListingGivesTheFoldersOfNvidiasLibraries() {
        String listing = """
                5 libs found in cache `/etc/ld.so.cache'
                \tlibcudnn.so.9 (libc6,x86-64) => /opt/cudnn/lib/libcudnn.so.9
                \tlibcublasLt.so.12 (libc6,x86-64) => /opt/ignored/libcublasLt.so.12
                \tlibcublas.so.12 (libc6,x86-64) => /usr/local/cuda/lib64/libcublas.so.12
                \tlibcuda.so.1 (libc6) => /usr/lib/i386-linux-gnu/libcuda.so.1
                \tlibcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1
                \tlibcudnn.so (libc6,x86-64) => /opt/cudnn/lib/libcudnn.so
                \tlibc.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libc.so.6
                """;
        assertEquals(List.of(Path.of("/opt/cudnn/lib"), Path.of("/usr/local/cuda/lib64"), Path.of("/usr/lib/x86_64-linux-gnu")),
                SearchPath.loaderFolders(listing));
        assertEquals(List.of(), SearchPath.loaderFolders(""));
    }

    @Test
    void theNewestToolkitComesFirst(@TempDir Path folder) throws IOException {
        for (String name : List.of("cuda-12.6", "cuda-12.10", "cuda-9.2", "other")) {
            Files.createDirectory(folder.resolve(name));
        }
        assertEquals(List.of("cuda-12.10", "cuda-12.6", "cuda-9.2"),
                SearchPath.toolkits(folder).stream().map(p -> p.getParent().getFileName().toString()).toList());
        assertEquals(List.of(), SearchPath.toolkits(folder.resolve("none")));
    }

    @Test
    void thisMachineHasPlacesToLookIn() {
        SearchPath path = SearchPath.ofThisMachine();
        assertEquals(SearchPath.fetched(), path.places().getLast().folder());
        assertFalse(path.places().stream().allMatch(p -> p.origin() == Place.Origin.CACHE));
    }
}
