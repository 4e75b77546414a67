// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.cli.console.Faults;
import org.tweedie.device.nvidia.FakeJar;
import org.tweedie.device.nvidia.Maven;
import org.tweedie.device.nvidia.Redistributable;

/** The report of {@code doctor --fetch-cuda} for a small jar. */
class FetchCudaTest {
    @Test
    void fromAJarThenNothingToDo(@TempDir Path root) throws IOException {
        Path jar = FakeJar.write(root.resolve("given.jar"));
        Redistributable what = FakeJar.of(jar, "libone.so.1", "libtwo.so.2");
        Path target = root.resolve("cache/cuda");
        FetchCuda fetch = new FetchCuda(what, target, new Maven(Map.of()));
        assertEquals("unpacked 2 files, 6.3 MB, into " + target, fetch.run(jar));
        assertTrue(what.isIn(target));
        assertEquals("already in " + target + "; nothing to do", fetch.run(null));
    }

    @Test
    void throughMavenTheJarStaysAndIsNamed(@TempDir Path root) throws IOException {
        Path repository = root.resolve("repository");
        Path jar = FakeJar.write(repository.resolve("org/example/cuda/1.2/cuda-1.2-redist.jar"));
        Path mvn = Files.writeString(Files.createDirectory(root.resolve("bin")).resolve("mvn"), "#!/bin/sh\necho "
                + repository + "\n");
        assertTrue(mvn.toFile().setExecutable(true));
        Path target = root.resolve("cuda");
        FetchCuda fetch = new FetchCuda(FakeJar.of(jar, "libone.so.1"), target,
                new Maven(Map.of("PATH", mvn.getParent() + ":/usr/bin:/bin")));
        assertEquals("unpacked 1 files, 3.1 MB, into " + target + "; the jar stays in " + jar + " and may be deleted",
                fetch.run(null));
    }

    @Test
    void aWrongJarIsAFailureNotMisuse(@TempDir Path root) throws IOException {
        Path jar = Files.writeString(root.resolve("wrong.jar"), "no jar");
        FetchCuda fetch = new FetchCuda(Redistributable.CUDA_12_6, root.resolve("cuda"), new Maven(Map.of()));
        IOException e = org.junit.jupiter.api.Assertions.assertThrows(IOException.class, () -> fetch.run(jar));
        assertTrue(e.getMessage().startsWith(jar + ": expected cuda-12.6-9.5-1.5.11-linux-x86_64-redist.jar of 2026748503 "
                + "bytes, got 6"), e.getMessage());
        assertEquals(Faults.FAILED, Faults.report(e, false));
    }
}
