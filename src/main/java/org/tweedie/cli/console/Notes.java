// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.Map;

/** Prints notes and the line of results with which a command ends. */
public final class Notes {
    private Notes() {}

    /** Prints a note on standard error about something that the user did not ask for explicitly. */
    public static void note(String line) {
        System.err.println("tweedie: note: " + line);
    }

    /** Prints the line of {@code key=value} words that ends a command; values with spaces are quoted. */
    public static void result(Map<String, String> words) {
        System.out.println(words.entrySet().stream().map(e -> e.getKey() + "=" + quoted(e.getValue()))
                .collect(Collectors.joining(" ")));
    }

    /** Returns a word, quoted for a shell if necessary. */
    public static String quoted(String word) {
        return word.matches("[A-Za-z0-9_./:=,+@%-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }

    /** Checks an input file. @throws IllegalArgumentException unless the file exists and can be read */
    public static void requireFile(Path file) {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new IllegalArgumentException(file + ": " + (Files.isDirectory(file) ? "is a folder, expected a file"
                    : Files.exists(file) ? "not readable; change its permissions" : "no such file; check the path"));
        }
    }
}
