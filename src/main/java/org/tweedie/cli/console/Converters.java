// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.tweedie.inverse.Surrogate;
import org.tweedie.options.Spelling;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Converts words of a command line to values, and picocli's errors to Tweedie's messages. */
public final class Converters {
    private Converters() {}

    /**
     * Registers the converters: for numbers, with Tweedie's messages, and for enumerations, which users write in lower case.
     */
    public static void register(CommandLine line) {
        number(line, Integer.class, int.class, Integer::valueOf, "a whole number");
        number(line, Long.class, long.class, Long::valueOf, "a whole number");
        number(line, Double.class, double.class, Double::valueOf, "a number");
        register(line, Surrogate.Norm.class);
        register(line, Surrogate.Probe.class);
    }

    private static <N> void number(CommandLine line, Class<N> boxed, Class<N> primitive, Function<String, N> parse,
            String expected) {
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
            List<String> words = Arrays.stream(type.getEnumConstants()).map(Converters::word).toList();
            if (!words.contains(word)) {
                throw new TypeConversionException("expected " + String.join(", ", words) + ", got '" + word + "'"
                        + Spelling.suggestion(word, words));
            }
            return Enum.valueOf(type, word.toUpperCase(Locale.ROOT));
        });
    }

    /** Returns a constant of an enumeration as users write it, in lower case. */
    public static String word(Enum<?> e) {
        return e.name().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns the message for an error that picocli found. Unknown options, arguments and commands have messages of Tweedie's
     * own.
     */
    public static String message(ParameterException e) {
        List<String> unmatched = e instanceof UnmatchedArgumentException u ? u.getUnmatched()
                : e.getCommandLine().getUnmatchedArguments();
        if (!unmatched.isEmpty()) { // reported before a missing option, because a misspelt option may be the missing one
            String word = unmatched.getFirst().split("=", 2)[0];
            boolean option = word.startsWith("-");
            var spec = e.getCommandLine().getCommandSpec();
            Collection<String> words = option ? spec.optionsMap().keySet() : spec.subcommands().keySet();
            String kind = option ? "option" : words.isEmpty() ? "argument" : "command";
            return kind + " '" + word + "': " + (kind.equals("argument") ? "not expected" : "unknown")
                    + Spelling.suggestion(word, words)
                    + (kind.equals("command") ? "; known: " + String.join(", ", words) : "");
        }
        String m = e.getMessage().replaceFirst("^Invalid value for ", "").replaceAll("\\s*\\R\\s*", " ");
        return Character.toLowerCase(m.charAt(0)) + m.substring(1);
    }
}
