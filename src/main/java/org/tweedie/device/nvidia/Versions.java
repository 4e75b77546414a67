// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads versions from file names. */
final class Versions {
    /** Compares versions by numbers, so that 12.10 comes after 12.9. */
    static final Comparator<List<Integer>> ORDER = (a, b) -> Arrays.compare(a.stream().mapToInt(i -> i).toArray(),
            b.stream().mapToInt(i -> i).toArray());

    private static final Pattern SHARED = Pattern.compile("lib.*\\.so\\.(\\d+\\.\\d+[.\\d]*)");

    private Versions() {}

    /**
     * Returns the version of a file, for example 9.5.1 of libcudnn.so.9 that links to libcudnn.so.9.5.1; empty where the file's
     * real name has only the major version.
     */
    static String of(Path file) {
        try {
            Matcher m = SHARED.matcher(file.toRealPath().getFileName().toString());
            return m.matches() ? m.group(1) : "";
        } catch (IOException e) {
            return ""; // the link leads nowhere, which loading it will report
        }
    }

    /** Returns the numbers in a text, in order. */
    static List<Integer> numbers(String text) {
        return Pattern.compile("\\d{1,9}").matcher(text).results().map(r -> Integer.valueOf(r.group())).toList();
    }

    /**
     * Returns the names in a folder that have the form stem.so.MAJOR, the newest first; messages name them when the wanted major
     * version is not there.
     */
    static List<String> majors(Path folder, String stem) throws IOException {
        Pattern name = Pattern.compile(Pattern.quote(stem) + "\\.so\\.\\d+");
        try (var all = Files.list(folder)) {
            return all.map(p -> p.getFileName().toString()).filter(n -> name.matcher(n).matches())
                    .sorted(Comparator.comparing(Versions::numbers, ORDER).reversed()).toList();
        }
    }
}
