// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.tweedie.solve.Start;
import org.tweedie.solve.StepSize;
import org.tweedie.solve.Stsl;
import org.tweedie.solve.Surrogate;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Words to choose from: what is meant when one is misspelt. */
final class Choice {
    private Choice() {}

    /** The word itself. @throws IllegalArgumentException naming the nearest words and all of them, when it is none of them */
    static String of(String what, String word, Collection<String> words) {
        if (!words.contains(word)) {
            throw new IllegalArgumentException(what + " '" + word + "': unknown" + meant(word, words) + "; known: " + String.join(", ", words));
        }
        return word;
    }

    /** As in {@code ; did you mean '--steps'?}; empty when nothing is near. */
    static String meant(String word, Collection<String> words) {
        List<String> near = new ArrayList<>();
        int least = Math.max(2, word.length() / 3);
        for (String w : words) {
            int d = w.startsWith(word) && word.length() > 2 ? 1 : distance(word.toLowerCase(Locale.ROOT), w);
            if (d < least) {
                near.clear();
                least = d;
            }
            if (d == least && d < w.length()) {
                near.add("'" + w + "'");
            }
        }
        return near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
    }

    /** Letters to insert, delete, exchange or swap with a neighbour (optimal string alignment). */
    static int distance(String a, String b) {
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

    /** Numbers with a message of ours; enumerations written in lower case. */
    static void register(CommandLine line) {
        number(line, Integer.class, int.class, Integer::valueOf, "a whole number");
        number(line, Long.class, long.class, Long::valueOf, "a whole number");
        number(line, Double.class, double.class, Double::valueOf, "a number");
        register(line, Surrogate.Norm.class);
        register(line, Surrogate.Probe.class);
        register(line, Stsl.TraceWeight.class);
        register(line, StepSize.Rule.class);
        register(line, Start.Kind.class);
        register(line, StslOptions.Consistency.class);
    }

    private static <N> void number(CommandLine line, Class<N> boxed, Class<N> primitive, Function<String, N> parse, String expected) {
        ITypeConverter<N> converter = word -> {
            try {
                return parse.apply(word);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("expected " + expected + ", got '" + word + "'");
            }
        };
        line.registerConverter(boxed, converter);
        line.registerConverter(primitive, converter);
    }

    private static <E extends Enum<E>> void register(CommandLine line, Class<E> type) {
        line.registerConverter(type, word -> {
            List<String> words = Arrays.stream(type.getEnumConstants()).map(Choice::word).toList();
            if (!words.contains(word)) {
                throw new TypeConversionException("expected " + String.join(", ", words) + ", got '" + word + "'" + meant(word, words));
            }
            return Enum.valueOf(type, word.toUpperCase(Locale.ROOT));
        });
    }

    static String word(Enum<?> e) {
        return e.name().toLowerCase(Locale.ROOT);
    }

    /** What picocli found wrong, in our words where an option, argument or command is unknown. */
    static String message(ParameterException e) {
        List<String> unmatched = e instanceof UnmatchedArgumentException u ? u.getUnmatched() : e.getCommandLine().getUnmatchedArguments();
        if (!unmatched.isEmpty()) { // before what is missing: the misspelt may be the missing
            String word = unmatched.getFirst().split("=", 2)[0];
            boolean option = word.startsWith("-");
            var spec = e.getCommandLine().getCommandSpec();
            Collection<String> words = option ? spec.optionsMap().keySet() : spec.subcommands().keySet();
            String kind = option ? "option" : words.isEmpty() ? "argument" : "command";
            return kind + " '" + word + "': " + (kind.equals("argument") ? "not expected" : "unknown") + meant(word, words)
                    + (kind.equals("command") ? "; known: " + String.join(", ", words) : "");
        }
        String m = e.getMessage().replaceFirst("^Invalid value for ", "").replaceAll("\\s*\\R\\s*", " ");
        return Character.toLowerCase(m.charAt(0)) + m.substring(1);
    }
}
