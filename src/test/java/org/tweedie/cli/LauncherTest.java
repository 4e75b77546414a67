// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.HouseTest;

/** Tests the launcher script up to the start of java. */
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
        assertEquals("tweedie: TWEEDIE_JAVA: expected the folder of a JDK 25 or later, got '" + folder + "'",
                fault(folder.toString()));
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

    /** Makes a checkout that looks built, and a JDK whose program of this name prints its arguments. */
    private ProcessBuilder launcher(String program, String script, String... args) throws IOException {
        Path home = Files.createDirectories(folder.resolve("home/target/lib")).getParent().getParent();
        Files.copy(Path.of("tweedie"), home.resolve("tweedie"));
        Files.createFile(home.resolve("pom.xml"));
        Files.createDirectories(home.resolve("src/main"));
        Files.createFile(home.resolve("target/lib/a.jar"));
        Path jar = Files.createFile(home.resolve("target/tweedie.jar"));
        Files.setLastModifiedTime(jar, java.nio.file.attribute.FileTime.fromMillis(System.currentTimeMillis() + 10_000));
        Path jdk = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        for (String name : new String[] {"java", program}) {
            assertTrue(Files.writeString(jdk.resolve("bin/" + name), script).toFile().setExecutable(true));
        }
        List<String> line = new ArrayList<>(List.of("bash", home.resolve("tweedie").toString()));
        line.addAll(List.of(args));
        ProcessBuilder b = new ProcessBuilder(line).redirectError(folder.resolve("err").toFile());
        b.environment().put("TWEEDIE_JAVA", jdk.toString());
        return b;
    }

    /** Returns the output of the stand-in: its arguments, one per line. */
    private String shell(String... args) throws IOException, InterruptedException {
        Process p = launcher("jshell", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n", args).start();
        p.getOutputStream().close();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), Files.readString(folder.resolve("err")));
        return out;
    }

    @Test
    void shellIsJshellWithTheClassPathAndTheFlags() throws Exception {
        String out = shell("shell");
        Path home = folder.resolve("home");
        assertTrue(out.startsWith("--class-path\n" + home + "/target/tweedie.jar:" + home + "/target/lib/a.jar\n"), out);
        assertTrue(out.contains("--startup\nDEFAULT\n--startup\n" + home + "/src/main/shell/startup.jsh\n"), out);
        assertTrue(out.contains("-R--enable-native-access=ALL-UNNAMED\n-R--add-modules\n-Rjdk.incubator.vector\n"), out);
        assertTrue(out.contains("-R-Dtweedie.home=" + home + "\n"), out);
        assertTrue(out.endsWith("-s\n-\n"), "a pipe gets neither greeting nor prompt: " + out);
    }

    @Test
    void shellTakesJshellsArguments() throws Exception {
        assertTrue(shell("shell", "--feedback", "concise").endsWith("\n--feedback\nconcise\n"));
    }

    @Test
    void shellNeedsAJdk() throws Exception {
        Process p = launcher("java", "#!/bin/sh\nexit 9\n", "shell").start();
        assertEquals(1, p.waitFor());
        assertEquals("tweedie: " + folder.resolve("jdk")
                + " has no jshell; install a JDK, not a JRE, or set TWEEDIE_JAVA to the folder of one",
                Files.readString(folder.resolve("err")).strip());
    }

    /**
     * The public packages that the pom lists can be used in the shell without an import; an import of a package that does not
     * exist would print an error at the start.
     */
    @Test
    void shellImportsThePackagesThereAre() throws IOException {
        Set<String> imported = new TreeSet<>();
        for (String line : Files.readAllLines(Path.of("src/main/shell/startup.jsh"))) {
            assertTrue(line.matches("//.*|import org\\.tweedie(\\.[a-z]+)*\\.\\*;"), line);
            if (line.startsWith("import ")) {
                imported.add(line.substring("import ".length(), line.length() - ".*;".length()));
            }
        }
        Set<String> there = HouseTest.apiPackages().stream().filter(p -> holdsTypes(Path.of("src/main/java", p.split("\\."))))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(there, imported, "startup.jsh beside the pom's properties api.*");
    }

    private static boolean holdsTypes(Path folder) {
        String[] names = folder.toFile().list((_, name) -> name.endsWith(".java") && !name.equals("package-info.java"));
        return names != null && names.length > 0;
    }

    @Test
    void shellcheckHasNothingToSay() throws Exception {
        boolean there = Stream.of(System.getenv("PATH").split(":")).anyMatch(p -> Files.isExecutable(Path.of(p, "shellcheck")));
        if (!there) {
            System.out.println("skipped: shellcheck is not on the PATH; apt-get install shellcheck");
        }
        assumeTrue(there, "shellcheck is not on the PATH");
        Process p = new ProcessBuilder("shellcheck", "tweedie", ".ci/run", "bench/pack-gpu", "bench/predict",
                "bench/peers/compare",
                "bench/cublas12-forwarder/build", "kernels/build").redirectErrorStream(true).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), out);
    }

    /** The launcher passes its flags to java (here a stand-in), and removes the one useless line that the JVM prints. */
    @Test
    void startsJavaWithItsFlagsAndSilencesTheVectorModulesLine() throws Exception {
        Process p = launcher("java", "#!/bin/sh\necho \"$@\"\n"
                + "echo 'WARNING: Using incubator modules: jdk.incubator.vector' >&2\necho 'WARNING: another' >&2\nexit 7\n",
                "two words").start();
        Path home = folder.resolve("home");
        Path jar = home.resolve("target/tweedie.jar");
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(7, p.waitFor());
        assertTrue(out.contains("--enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector"), out);
        assertTrue(out.contains("-Dtweedie.home=" + home) && out.strip().endsWith("-jar " + jar + " two words"), out);
        for (int i = 0; i < 200 && Files.size(folder.resolve("err")) == 0; i++) {
            Thread.sleep(10); // the filter process ends after java
        }
        assertEquals("WARNING: another", Files.readString(folder.resolve("err")).strip());
    }
}
