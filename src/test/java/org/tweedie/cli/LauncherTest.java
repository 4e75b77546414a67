// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script, up to where it starts java. */
class LauncherTest {
    @TempDir
    Path folder;

    private String fault(String java) throws IOException, InterruptedException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("tweedie").toAbsolutePath());
        ProcessBuilder b = new ProcessBuilder("bash", link.toString(), "--version").directory(folder.toFile());
        b.environment().put("TWEEDIE_JAVA", java);
        Process p = b.start();
        String err = new String(p.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(1, p.waitFor(), err);
        Files.delete(link);
        return err.strip();
    }

    @Test
    void saysWhatItFoundInsteadOfAJdk() throws Exception {
        assertEquals("tweedie: TWEEDIE_JAVA: expected the folder of a JDK 25 or later, got '" + folder + "'", fault(folder.toString()));
    }

    @Test
    void refusesAnOldJdk() throws Exception {
        Files.createDirectories(folder.resolve("old/bin"));
        Files.writeString(folder.resolve("old/release"), "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"17.0.15\"\n");
        Path java = Files.writeString(folder.resolve("old/bin/java"), "#!/bin/sh\nexit 9\n");
        assertTrue(java.toFile().setExecutable(true));
        String fault = fault(folder.resolve("old").toString());
        assertTrue(fault.endsWith("which is " + folder.resolve("old") + " (Java 17)"), fault);
    }

    /** The launcher's flags, a stand-in for the jar's java, and the one line of the JVM that is of no use. */
    @Test
    void startsJavaWithItsFlagsAndSilencesTheVectorModulesLine() throws Exception {
        Path home = Files.createDirectories(folder.resolve("home/target/lib")).getParent().getParent();
        Files.copy(Path.of("tweedie"), home.resolve("tweedie"));
        Files.createFile(home.resolve("pom.xml"));
        Files.createDirectories(home.resolve("src/main"));
        Path jar = Files.createFile(home.resolve("target/tweedie.jar"));
        Files.setLastModifiedTime(jar, java.nio.file.attribute.FileTime.fromMillis(System.currentTimeMillis() + 10_000));
        Path jdk = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        Path java = Files.writeString(jdk.resolve("bin/java"), "#!/bin/sh\necho \"$@\"\n"
                + "echo 'WARNING: Using incubator modules: jdk.incubator.vector' >&2\necho 'WARNING: another' >&2\nexit 7\n");
        assertTrue(java.toFile().setExecutable(true));
        ProcessBuilder b = new ProcessBuilder("bash", home.resolve("tweedie").toString(), "two words").redirectError(folder.resolve("err").toFile());
        b.environment().put("TWEEDIE_JAVA", jdk.toString());
        Process p = b.start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(7, p.waitFor());
        assertTrue(out.contains("--enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector"), out);
        assertTrue(out.contains("-Dtweedie.home=" + home) && out.strip().endsWith("-jar " + jar + " two words"), out);
        for (int i = 0; i < 200 && Files.size(folder.resolve("err")) == 0; i++) {
            Thread.sleep(10); // the filter ends by itself, after java
        }
        assertEquals("WARNING: another", Files.readString(folder.resolve("err")).strip());
    }
}
