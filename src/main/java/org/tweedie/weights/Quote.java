// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes text from untrusted files fit for a one-line message. */
final class Quote {
    private static final int LONGEST = 120;

    private static final Pattern PLACE = Pattern.compile("line \\d+ column \\d+");

    private Quote() {
    }

    /**
     * Returns where a JSON parser stopped, for example " at line 3 column 14". The parser's own messages advise programmers, not
     * users.
     */
    static String place(IOException parsing) {
        Matcher m = PLACE.matcher(String.valueOf(parsing.getMessage()));
        return m.find() ? " at " + m.group() : "";
    }

    /** Returns the text in single quotes, with control characters shown as escapes, cut after 120 characters. */
    static String of(String text) {
        StringBuilder s = new StringBuilder("'");
        for (int i = 0; i < text.length() && i < LONGEST; i++) {
            char c = text.charAt(i);
            boolean plain = c >= ' ' && !Character.isISOControl(c) && !Character.isSurrogate(c) && c != '\u2028' && c != '\u2029';
            s.append(plain ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        }
        return s.append(text.length() > LONGEST ? "...'" : "'").toString();
    }
}
