// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.tweedie.image.AtomicFile;

/** Checks output files before the work starts. */
public final class Output {
    private Output() {}

    /**
     * @param ending the expected end of the file's name, for example {@code .png}
     * @param input the file that the command reads; null for none
     * @throws IllegalArgumentException when the folder is missing or not writable, the name has another ending, or the output
     *         would overwrite the input
     */
    public static void check(Path out, String ending, Path input) throws IOException {
        AtomicFile.check(out);
        if (!out.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(ending)) {
            throw new IllegalArgumentException(out + ": expected a name that ends with " + ending
                    + ", the format that is written");
        }
        if (input != null && Files.exists(input) && Files.exists(out) && Files.isSameFile(input, out)) {
            throw new IllegalArgumentException(out + ": is the input as well and would be overwritten; name another output");
        }
    }
}
