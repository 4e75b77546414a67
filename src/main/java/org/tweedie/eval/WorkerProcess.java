// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Makes cells in another process, which answers each key with a line; see {@link WorkerLoop}. */
public final class WorkerProcess implements CellMaker {
    private static final int LAST_LINES = 20;
    private static final int PATIENCE_SECONDS = 20;
    private static final String USELESS = "WARNING: Using incubator modules";

    private final int number;
    private final Process process;
    private final BufferedWriter keys;
    private final BufferedReader answers;
    private final Deque<String> last = new ArrayDeque<>();
    private final Thread errors;

    /**
     * Starts the process.
     *
     * @param number names it in messages
     * @param command the program and its arguments
     */
    public WorkerProcess(int number, List<String> command) throws IOException {
        this.number = number;
        process = new ProcessBuilder(command).start();
        keys = process.outputWriter(StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
        errors = Thread.ofPlatform().daemon().name("errors of worker " + number).start(this::readErrors);
    }

    /**
     * Returns the command that starts another Java of the same program, flags and class path.
     *
     * @param main the class to start
     */
    public static List<String> java(Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream().filter(WorkerProcess::isShared).forEach(command::add);
        command.add("-XX:+DisplayVMOutputToStderr"); // standard output is for answers
        command.addAll(List.of("-cp", classPath(), main.getName()));
        command.addAll(arguments);
        return command;
    }

    /** A descriptor, a terminal and a debugger's port belong to one process only. */
    private static boolean isShared(String flag) {
        return Stream.of("-Dtweedie.stderr=", "-Dtweedie.columns=", "-agentlib:jdwp").noneMatch(flag::startsWith);
    }

    /** Returns the class path with absolute paths. */
    private static String classPath() {
        return String.join(File.pathSeparator, Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(p -> Path.of(p).toAbsolutePath().toString()).toList());
    }

    private void readErrors() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getErrorStream(),
                StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                remember(line);
            }
        } catch (IOException e) {
            remember("(" + e.getMessage() + ")");
        }
    }

    private void remember(String line) {
        synchronized (last) {
            if (!line.isBlank() && !line.startsWith(USELESS)) {
                last.add(line.strip());
            }
            if (last.size() > LAST_LINES) {
                last.poll();
            }
        }
    }

    @Override
    public Cell make(Cell.Key key) throws CellFailure, IOException {
        String line;
        try {
            keys.write(key.line() + "\n");
            keys.flush();
            line = answers.readLine();
        } catch (IOException e) {
            line = null; // the pipe is broken, as when the process has ended
        }
        if (line == null) {
            throw new IOException(end(key));
        }
        if (CellFailure.is(line)) {
            throw CellFailure.of(line);
        }
        Cell cell = cell(line);
        if (!cell.key().equals(key)) {
            throw new IOException("worker " + number + ": expected the cell " + key.text() + ", got " + cell.key().text());
        }
        return cell;
    }

    private Cell cell(String line) throws IOException {
        try {
            return Cell.of(line);
        } catch (IllegalArgumentException e) {
            throw new IOException("worker " + number + ": " + e.getMessage(), e);
        }
    }

    /** Describes how the process ended. */
    private String end(Cell.Key key) throws IOException {
        try {
            boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            errors.join(TimeUnit.SECONDS.toMillis(1));
            synchronized (last) {
                return "worker " + number + (ended ? " ended with exit code " + process.exitValue() : " closed its output")
                        + " at the cell " + key.text() + "; " + (last.isEmpty() ? "it printed no error"
                        : "the end of its errors: " + String.join(" | ", last))
                        + "; the cells that are done are kept, and the same command continues";
            }
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    /** Closes the input of the process, which ends it, and waits for its end. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            process.destroy(); // the pipe is broken, so the process has ended or will
        }
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
