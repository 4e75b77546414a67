// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.Comparator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The order of names in tables: numbers in a name are compared as numbers, so that {@code sr:8} comes before {@code sr:16}. */
final class NaturalOrder implements Comparator<String> {
    private static final List<String> FIRST = List.of("measurement", "pinv", "autoencoder");
    private static final Pattern PART = Pattern.compile("\\d+(\\.\\d+)?|\\D+");

    /** Returns true for the rows that need no solver; they come first. */
    static boolean isBase(String solver) {
        return FIRST.contains(solver);
    }

    @Override
    public int compare(String a, String b) {
        int first = Integer.compare(place(a), place(b));
        if (first != 0) {
            return first;
        }
        List<String> x = parts(a);
        List<String> y = parts(b);
        for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
            int c = isNumber(x.get(i)) && isNumber(y.get(i))
                    ? Double.compare(Double.parseDouble(x.get(i)), Double.parseDouble(y.get(i))) : x.get(i).compareTo(y.get(i));
            if (c != 0) {
                return c;
            }
        }
        return x.size() == y.size() ? a.compareTo(b) : Integer.compare(x.size(), y.size());
    }

    private static int place(String name) {
        return isBase(name) ? FIRST.indexOf(name) : FIRST.size();
    }

    private static List<String> parts(String s) {
        return PART.matcher(s).results().map(MatchResult::group).toList();
    }

    private static boolean isNumber(String part) {
        return part.charAt(0) >= '0' && part.charAt(0) <= '9';
    }
}
