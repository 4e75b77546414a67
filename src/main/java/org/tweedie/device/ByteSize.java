// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of bytes as users read and write them: 800M is 800 times 2^20 bytes, 6G is 6 times 2^30. */
public final class ByteSize {
    private static final Pattern WORD = Pattern.compile("([0-9]{1,6}(?:\\.[0-9]{1,3})?)([MG])");

    private ByteSize() {}

    /** Reads a size. @throws IllegalArgumentException when the word is none, beginning with the name of the option */
    public static long parse(String option, String word) {
        Matcher m = WORD.matcher(word.toUpperCase(Locale.ROOT));
        if (!m.matches() || Double.parseDouble(m.group(1)) == 0) {
            throw new IllegalArgumentException(option + ": expected a size such as 800M or 6G, got '" + word + "'");
        }
        return (long) (Double.parseDouble(m.group(1)) * (m.group(2).equals("G") ? 1L << 30 : 1L << 20));
    }

    /** Writes a size in whole MiB, rounded up, as in 800M; {@link #parse} reads it. */
    public static String text(long bytes) {
        return (bytes + (1L << 20) - 1 >> 20) + "M";
    }
}
