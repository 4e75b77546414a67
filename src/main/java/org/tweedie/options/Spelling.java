// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** Finds the word that a user probably meant. */
public final class Spelling {
    private Spelling() {}

    /**
     * Checks that a word is one of those known and returns it.
     *
     * @param what names the kind of word in the message, for example {@code solver}
     * @throws IllegalArgumentException when the word is unknown; the message names the most similar words and all known ones
     */
    public static String check(String what, String word, Collection<String> known) {
        if (!known.contains(word)) {
            throw new IllegalArgumentException(what + " '" + word + "': unknown" + suggestion(word, known) + "; known: "
                    + String.join(", ", known));
        }
        return word;
    }

    /** Returns {@code ; did you mean 'steps'?}, or an empty text when no known word is similar. */
    public static String suggestion(String word, Collection<String> known) {
        List<String> near = new ArrayList<>();
        int least = Math.max(2, word.length() / 3);
        for (String k : known) {
            int d = k.startsWith(word) && word.length() > 2 ? 1 : distance(word.toLowerCase(Locale.ROOT), k);
            if (d < least) {
                near.clear();
                least = d;
            }
            if (d == least && d < k.length()) {
                near.add("'" + k + "'");
            }
        }
        return near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
    }

    /**
     * Counts the letters to insert, delete, replace, or swap with a neighbour to get from a to b (the optimal string
     * alignment distance).
     */
    public static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int same = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                d[i][j] = Math.min(d[i - 1][j - 1] + same, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
