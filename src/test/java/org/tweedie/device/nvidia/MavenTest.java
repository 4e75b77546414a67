// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the user's Maven, which a shell script plays. */
class MavenTest {
    private static final Redistributable.Listener DEAF = (done, doing) -> { };
    private static final String ELSE = ", or fetch the jar on another machine and give it with --jar FILE";

    @TempDir
    private Path root;
    private Path repository;
    private Path jar;
    private Redistributable what;

    @BeforeEach
    void jar() throws IOException {
        jar = FakeJar.write(root.resolve("remote.jar"));
        what = FakeJar.of(jar, "libone.so.1");
        repository = root.resolve("repository");
    }

    /** Writes a mvn that prints the local repository in colours, after warnings, and runs some lines for everything else. */
    private Maven maven(String lines) throws IOException {
        Path bin = Files.createDirectories(root.resolve("bin"));
        Path mvn = Files.writeString(bin.resolve("mvn"), "#!/bin/sh\necho \"$@\" >> " + root + "/calls\n"
                + "case \"$*\" in *evaluate*) echo WARNING: old >&2; printf '\\033[0m" + repository + "\\033[0m'; exit 0;; esac\n"
                + lines + "\n");
        assertTrue(mvn.toFile().setExecutable(true));
        return new Maven(Map.of("PATH", bin + ":/usr/bin:/bin"));
    }

    private String fault(Maven maven) {
        return assertThrows(IOException.class, () -> maven.fetch(what, DEAF)).getMessage();
    }

    @Test
    void fetchesIntoTheLocalRepositoryWithStrictChecksums() throws IOException {
        Path there = repository.resolve("org/example/cuda/1.2/cuda-1.2-redist.jar");
        Maven maven = maven("test -z \"$(ls)\" || exit 9\nmkdir -p " + there.getParent() + " && cp " + jar + " " + there);
        assertEquals(there, maven.fetch(what, DEAF));
        String calls = Files.readString(root.resolve("calls"));
        assertTrue(calls.contains("-B -ntp -C org.apache.maven.plugins:maven-dependency-plugin:3.9.0:get -Dtransitive=false "
                + "-Dartifact=org.example:cuda:1.2:jar:redist\n"), calls);
    }

    @Test
    void whatIsInTheLocalRepositoryTakesNoNetwork() throws IOException {
        Path there = FakeJar.write(repository.resolve("org/example/cuda/1.2/cuda-1.2-redist.jar"));
        assertEquals(there, maven("exit 9").fetch(what, DEAF));
    }

    @Test
    void noMaven() throws IOException {
        assertEquals("mvn: expected Maven 3.8 or later on the PATH, got none; install it" + ELSE,
                fault(new Maven(Map.of("PATH", root.toString()))));
        assertEquals("mvn: expected Maven 3.8 or later on the PATH, got none; install it" + ELSE, fault(new Maven(Map.of())));
    }

    @Test
    void mavensLastLinesAreTold() throws IOException {
        Maven maven = maven("echo '[INFO] Scanning'; echo '[ERROR] Could not transfer artifact'; echo '[ERROR] ';"
                + "echo '[ERROR] Re-run Maven using the -X switch'; exit 1");
        assertEquals("mvn: fetching org.example:cuda:1.2:jar:redist failed with exit code 1: Could not transfer artifact; "
                + "check the network and settings.xml"
                + ELSE, fault(maven));
    }

    @Test
    void aHalfDownloadIsRemoved() throws IOException {
        Path folder = repository.resolve("org/example/cuda/1.2");
        fault(maven("mkdir -p " + folder + "; echo half > " + folder + "/cuda-1.2-redist.jar.part; echo half > " + folder
                + "/cuda-1.2.pom; exit 1"));
        assertFalse(Files.exists(folder.resolve("cuda-1.2-redist.jar.part")));
        assertTrue(Files.exists(folder.resolve("cuda-1.2.pom")), "only what is ours goes");
    }

    @Test
    void theDownloadIsWatched() throws IOException {
        Path folder = repository.resolve("org/example/cuda/1.2");
        Path there = folder.resolve("cuda-1.2-redist.jar");
        Path seen = root.resolve("seen");
        Maven maven = maven("mkdir -p " + folder + "; printf 12345 > " + there + ".part; i=0; while [ ! -e " + seen
                + " ] && [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; done; mv " + there + ".part " + there);
        long[] most = new long[1];
        maven.fetch(what, (done, doing) -> {
            most[0] = Math.max(most[0], done);
            if (done > 0 && !Files.exists(seen)) {
                assertEquals("fetching cuda-1.2-redist.jar", doing);
                touch(seen);
            }
        });
        assertEquals(5, most[0]);
    }

    private static void touch(Path file) {
        try {
            Files.createFile(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aMavenThatDoesNothingIsTold() throws IOException {
        assertEquals("mvn: expected " + repository
                + "/org/example/cuda/1.2/cuda-1.2-redist.jar after fetching org.example:cuda:1.2:jar:redist, "
                + "got nothing there; check MAVEN_OPTS and settings.xml" + ELSE, fault(maven("exit 0")));
    }

    @Test
    void noRoomForTheJar() throws IOException {
        Redistributable huge = new Redistributable(what.artifact(), what.sha256(), 1L << 60, what.unpacked(), what.folder(),
                what.files());
        Maven maven = maven("exit 9");
        String fault = assertThrows(IOException.class, () -> maven.fetch(huge, DEAF)).getMessage();
        assertTrue(fault.contains("MB free to fetch cuda-1.2-redist.jar, got ")
                && fault.contains("MAVEN_OPTS=-Dmaven.repo.local=DIR"), fault);
    }

    @Test
    void anInterruptEndsMaven() throws IOException {
        Maven maven = maven("exec sleep 60");
        Thread.currentThread().interrupt();
        // the first call of mvn is the one that meets the interrupt
        String fault = fault(maven);
        assertTrue(fault.startsWith("mvn: ") && fault.endsWith(" was interrupted; run it again"), fault);
    }
}
