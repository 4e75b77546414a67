// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests Tweedie as a dependency of another project: Maven resolves the installed artefact from a repository below target
 * without a network, and the first Java example of a document compiles and runs with the resolved jars. Tests the pom of a
 * release too.
 */
class ConsumerIT {
    /** The document whose first example is run. */
    private static final Path DOCUMENT = Path.of("README.md");
    private static final Path REPOSITORY = Path.of("target/consumer/repository").toAbsolutePath();
    private static final String VERSION = System.getProperty("tweedie.version");
    private static final String THEIRS = System.getProperty("maven.repository");

    @TempDir
    Path folder;

    /** Runs the Maven of this build in the folder. */
    private String maven(String... args) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("maven.home"), "bin", "mvn").toString(), "-B",
                "-q"));
        line.addAll(List.of(args));
        Process p = new ProcessBuilder(line).directory(folder.toFile()).redirectErrorStream(true).start();
        p.getOutputStream().close();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), String.join(" ", line) + "\n" + out);
        return out;
    }

    /**
     * Returns the class path of a project whose only dependency is Tweedie. All other artefacts come from the user's
     * repository, which serves as a remote one.
     */
    private List<Path> resolve() throws IOException, InterruptedException {
        Files.writeString(folder.resolve("settings.xml"), """
                <settings>
                  <mirrors><mirror><id>local</id><mirrorOf>*</mirrorOf><url>%s</url></mirror></mirrors>
                </settings>
                """.formatted(Path.of(THEIRS).toUri()));
        Files.writeString(folder.resolve("pom.xml"), """
                <project xmlns="http://maven.apache.org/POM/4.0.0">
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>example</groupId>
                  <artifactId>consumer</artifactId>
                  <version>1</version>
                  <dependencies>
                    <dependency>
                      <groupId>org.tweedie</groupId>
                      <artifactId>tweedie</artifactId>
                      <version>%s</version>
                    </dependency>
                  </dependencies>
                </project>
                """.formatted(VERSION));
        maven("-s", "settings.xml", "-gs", "settings.xml", "-Dmaven.repo.local=" + REPOSITORY,
                System.getProperty("dependency.plugin") + ":build-classpath",
                "-Dmdep.outputFile=classpath.txt");
        return Arrays.stream(Files.readString(folder.resolve("classpath.txt")).strip().split(":")).map(Path::of).toList();
    }

    @Test
    void anotherProjectRunsTheExample() throws Exception {
        List<Path> path = resolve();
        assertTrue(path.getFirst().startsWith(REPOSITORY), path.toString());
        List<String> names = path.stream().map(p -> p.getFileName().toString()).toList();
        assertEquals("tweedie-" + VERSION + ".jar", names.getFirst());
        assertTrue(names.stream().anyMatch(n -> n.startsWith("gson-")) && names.stream().anyMatch(n -> n.startsWith("dnnl-")),
                names.toString());
        assertTrue(names.stream().noneMatch(n -> n.matches("(picocli|progressbar|jline|jcuda|jcublas).*")),
                "optional, yet forced on a user: " + names);
        for (String folderOfCheckout : List.of("weights-tools", "docs")) { // examples find the demo model and pictures here
            Files.createSymbolicLink(folder.resolve(folderOfCheckout), Path.of(folderOfCheckout).toAbsolutePath());
        }
        Example example = Example.of(DOCUMENT).getFirst();
        Example.Ran ran = example.run(folder.resolve("classes"), Files.readString(folder.resolve("classpath.txt")).strip(),
                folder);
        Files.delete(folder.resolve("weights-tools"));
        Files.delete(folder.resolve("docs"));
        assertTrue(Files.size(folder.resolve("restored.png")) > 1000, example + " wrote no picture; it said: " + ran.out());
    }

    /** A build at a tag sets -Drevision; the pom that it installs has that version and depends on no snapshot. */
    @Test
    void aReleaseIsNoSnapshot() throws Exception {
        Files.copy(Path.of("pom.xml"), folder.resolve("pom.xml"));
        maven("-o", "-Dmaven.repo.local=" + THEIRS, "-Drevision=0.1.0", "process-resources");
        String pom = Files.readString(folder.resolve("target/consumer-pom.xml"));
        assertTrue(pom.contains("<artifactId>tweedie</artifactId>\n  <version>0.1.0</version>"), pom);
        assertFalse(pom.contains("SNAPSHOT") || pom.contains("${"), pom);
    }

    /**
     * Runs the real JShell with the jar that was just built: it runs the piped statements in a JVM that may use native
     * libraries and vectors.
     */
    @Test
    void theShellRunsWhatIsPipedIn() throws Exception {
        // The jar of this build; the launcher would rebuild an older one.
        Files.setLastModifiedTime(Path.of("target/tweedie.jar"), FileTime.from(Instant.now()));
        ProcessBuilder b = new ProcessBuilder("./tweedie", "shell").redirectError(folder.resolve("err").toFile());
        b.environment().put("TWEEDIE_JAVA", System.getProperty("java.home"));
        Process p = b.start();
        p.getOutputStream().write("""
                System.out.println(1+1)
                System.out.println(Shape.of(2, 3))
                try (var d = Devices.open("cpu", 1)) { System.out.println(d.name()); }
                """.getBytes(StandardCharsets.UTF_8));
        p.getOutputStream().close();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor());
        assertEquals("2\n[2,3]\ncpu\n", out, Files.readString(folder.resolve("err")));
    }
}
