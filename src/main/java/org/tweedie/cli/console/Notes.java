// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.Map;

/** What a user is told beside results. */
public final class Notes {
    private Notes() {}

    /** A line on standard error about something that was done without being asked for. */
    public static void note(String line) {
        System.err.println("tweedie: note: " + line);
    }

    /** The line of {@code key=value} words that ends a command; values with spaces are quoted. */
    public static void result(Map<String, String> words) {
        System.out.println(words.entrySet().stream().map(e -> e.getKey() + "=" + quoted(e.getValue())).collect(Collectors.joining(" ")));
    }

    /** A word as a shell takes it. */
    public static String quoted(String word) {
        return word.matches("[A-Za-z0-9_./:=,+@%-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }

    /** @throws IllegalArgumentException unless there is such a file that can be read */
    public static void requireFile(Path file) {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new IllegalArgumentException(file + ": " + (Files.isDirectory(file) ? "is a folder, expected a file"
                    : Files.exists(file) ? "not readable; change its permissions" : "no such file; check the path"));
        }
    }
}
