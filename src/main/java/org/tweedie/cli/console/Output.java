// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.tweedie.image.AtomicFile;

/** Files to be written, checked before the work whose result they take. */
public final class Output {
    private Output() {}

    /**
     * @param ending as in {@code .png}
     * @param input what the command reads; null for nothing
     * @throws IllegalArgumentException when the folder is missing or not writable, the name does not say what is in it, or the input would be lost
     */
    public static void check(Path out, String ending, Path input) throws IOException {
        AtomicFile.check(out);
        if (!out.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(ending)) {
            throw new IllegalArgumentException(out + ": expected a name that ends with " + ending + ", which is what is written");
        }
        if (input != null && Files.exists(input) && Files.exists(out) && Files.isSameFile(input, out)) {
            throw new IllegalArgumentException(out + ": is the input too and would be lost; name another output");
        }
    }
}
