// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The user's Maven, which has the user's settings of repositories, mirrors and proxies.
 *
 * @param environment the environment of its process, in which MAVEN_OPTS is passed on too
 */
public record Maven(Map<String, String> environment) {
    private static final String ELSE = ", or fetch the jar on another machine and give it with --jar FILE";
    /** The plugin's version is fixed, so that the same code runs every time. */
    private static final String GET = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:get";
    private static final String EVALUATE = "org.apache.maven.plugins:maven-help-plugin:3.5.1:evaluate";
    private static final int LAST_LINES = 3;

    public Maven {
        environment = Map.copyOf(environment);
    }

    /**
     * Puts a jar into the local repository unless it is there; Maven checks its checksums as strictly as it can.
     *
     * @return the jar
     * @throws IOException in one line: there is no mvn, it fails, or the disk has no room
     */
    public Path fetch(Redistributable what, Redistributable.Listener listener) throws IOException {
        Path jar = localRepository().resolve(what.jarPath());
        if (Files.exists(jar)) {
            return jar;
        }
        Redistributable.requireRoom(jar.getParent(), what.bytes(), "fetch " + what.jarName());
        try {
            run("fetching " + what.artifact(), () -> listener.at(largest(jar), "fetching " + what.jarName()),
                    "-C", GET, "-Dtransitive=false", "-Dartifact=" + what.artifact());
        } finally {
            for (Path p : unfinished(jar)) {
                Files.deleteIfExists(p);
            }
        }
        if (!Files.exists(jar)) {
            throw new IOException("mvn: expected " + jar + " after fetching " + what.artifact()
                    + ", got nothing there; check MAVEN_OPTS and settings.xml" + ELSE);
        }
        return jar;
    }

    /** Returns the folder in which Maven stores what it has fetched, as settings and MAVEN_OPTS say. */
    Path localRepository() throws IOException {
        String told = run("asking for the local repository", () -> { }, "-q", EVALUATE, "-Dexpression=settings.localRepository",
                "-DforceStdout");
        return told.lines().filter(l -> l.startsWith("/")).reduce((a, b) -> b).map(Path::of)
                .orElseThrow(() -> new IOException("mvn: expected the local repository's folder, got '" + told.strip()
                + "'; check settings.xml" + ELSE));
    }

    /** Runs Maven in an empty folder, since it reads the project of the folder in which it starts. */
    private String run(String doing, Runnable meanwhile, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(mvn().toString(), "-B", "-ntp"));
        command.addAll(Arrays.asList(arguments));
        Path empty = Files.createTempDirectory("tweedie-mvn");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).directory(empty.toFile()).redirectErrorStream(true);
            builder.environment().clear();
            builder.environment().putAll(environment);
            builder.environment().putIfAbsent("JAVA_HOME", System.getProperty("java.home"));
            return output(doing, builder.start(), meanwhile);
        } finally {
            Files.deleteIfExists(empty);
        }
    }

    private static String output(String doing, Process process, Runnable meanwhile) throws IOException {
        CompletableFuture<String> text = CompletableFuture.supplyAsync(() -> text(process));
        try {
            while (!process.waitFor(500, TimeUnit.MILLISECONDS)) {
                meanwhile.run();
            }
        } catch (InterruptedException e) {
            process.destroy();
            throw new IOException("mvn: " + doing + " was interrupted; run it again", e);
        }
        String told = text.join();
        if (process.exitValue() != 0) {
            List<String> lines = told.lines().map(l -> l.replace("[ERROR]", "").strip()).filter(l -> !l.isEmpty()
                    && !l.startsWith("[") && !help(l)).toList();
            throw new IOException("mvn: " + doing + " failed with exit code " + process.exitValue() + ": "
                    + String.join(" / ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()))
                    + "; check the network and settings.xml" + ELSE);
        }
        return told;
    }

    /** Tells whether a line of Maven's output only says how to run it again. */
    private static boolean help(String line) {
        return line.startsWith("To see the full") || line.startsWith("Re-run Maven") || line.startsWith("For more information");
    }

    /** Returns the output of a process without the escapes that colour it. */
    private static String text(Process process) {
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).replaceAll("\u001b\\[[0-9;]*m",
                    "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path mvn() throws IOException {
        for (String folder : environment.getOrDefault("PATH", "").split(":")) {
            Path mvn = Path.of(folder.isEmpty() ? "." : folder, "mvn");
            if (Files.isExecutable(mvn) && !Files.isDirectory(mvn)) {
                return mvn.toAbsolutePath();
            }
        }
        throw new IOException("mvn: expected Maven 3.8 or later on the PATH, got none; install it" + ELSE);
    }

    /** Returns the files to which Maven downloads before it renames them to the jar's name. */
    private static List<Path> unfinished(Path jar) throws IOException {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(jar.getParent())) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(jar.getParent())) {
                for (Path p : all) {
                    String name = p.getFileName().toString();
                    if (name.startsWith(jar.getFileName().toString()) && name.matches(".*\\.(part|tmp|part\\.lock)")) {
                        found.add(p);
                    }
                }
            }
        }
        return found;
    }

    private static long largest(Path jar) {
        try {
            long largest = 0;
            for (Path p : unfinished(jar)) {
                largest = Math.max(largest, Files.size(p));
            }
            return largest;
        } catch (IOException e) {
            return 0; // Maven renamed the file meanwhile
        }
    }
}
