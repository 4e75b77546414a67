// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One option of a record: its name, the values that it accepts, and the conversion of its text to a value.
 *
 * @param name the name that users write, in kebab case
 * @param type the type of the record component
 */
public record OptionSpec(String name, Class<?> type, Option declared, RecordComponent component) {
    static OptionSpec of(RecordComponent c) {
        Option o = c.getAnnotation(Option.class);
        if (o == null) {
            throw new IllegalStateException(c.getDeclaringRecord().getName() + "." + c.getName() + " has no @Option");
        }
        return new OptionSpec(kebab(c.getName()), c.getType(), o, c);
    }

    /** The default as a user would write it. */
    public String defaultText() {
        return declared.value();
    }

    /** The sentence that says what the option does. */
    public String text() {
        return declared.text();
    }

    /** The words to choose from; empty if the option is a number. */
    public List<String> choices() {
        return type == boolean.class ? List.of("true", "false")
                : type.isEnum() ? Arrays.stream(type.getEnumConstants()).map(OptionSpec::word).toList()
                : type.isInterface() ? Catalogue.of(type).names() : List.of();
    }

    /** The range or the choices, for example {@code 0 or more} or {@code ddim, euler}. */
    public String accepts() {
        if (!choices().isEmpty()) {
            return type.isInterface() ? "NAME[:OPTION=VALUE,...] of " + String.join(", ", choices())
                    : String.join(", ", choices());
        }
        String from = declared.above() > Double.NEGATIVE_INFINITY ? "more than " + number(declared.above())
                : declared.min() == 0 ? "0 or more" : declared.min() > Double.NEGATIVE_INFINITY ? "at least "
                + number(declared.min()) : "";
        if (declared.max() < Double.POSITIVE_INFINITY) {
            return from.isEmpty() || declared.above() > Double.NEGATIVE_INFINITY
                    ? (from + " and at most " + number(declared.max())).trim() : number(declared.min()) + " to "
                    + number(declared.max());
        }
        return from.isEmpty() ? type == double.class ? "a number" : "a whole number" : from;
    }

    /**
     * Converts a text to the option's value.
     *
     * @throws IllegalArgumentException naming the option, the values that it accepts and the text
     */
    Object parse(String text) {
        try {
            return checked(type == int.class ? Integer.valueOf(text) : type == long.class ? Long.valueOf(text)
                    : type == double.class ? Double.valueOf(text)
                    : type.isInterface() ? Catalogue.of(type).parse(text) : choice(text));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + ": expected " + (type == double.class ? "a number" : "a whole number")
                    + ", got '" + text + "'");
        }
    }

    private Object choice(String text) {
        int i = choices().indexOf(text);
        if (i < 0) {
            throw new IllegalArgumentException(name + ": expected " + String.join(", ", choices()) + ", got '" + text + "'"
                    + Spelling.suggestion(text, choices()));
        }
        return type == boolean.class ? (Object) text.equals("true") : type.getEnumConstants()[i];
    }

    /** Returns the value itself. @throws IllegalArgumentException when it is out of range */
    Object checked(Object value) {
        if (value instanceof Number n) {
            double x = n.doubleValue();
            if (!(x >= declared.min() && x <= declared.max()
                    && (x > declared.above() || declared.above() == Double.NEGATIVE_INFINITY))
                    || Double.isInfinite(x)) {
                throw new IllegalArgumentException(name + ": expected " + accepts() + ", got " + text(value));
            }
        } else if (value == null) {
            throw new IllegalArgumentException(name + ": expected " + accepts() + ", got nothing");
        }
        return value;
    }

    /** Returns a value as a user would write it. */
    String text(Object value) {
        return switch (value) {
            case Double d -> number(d);
            case Enum<?> e -> word(e);
            case Record r when type.isInterface() -> Catalogue.of(type).spec(r);
            default -> value.toString();
        };
    }

    private static String word(Object constant) {
        return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the shortest form of a number: 3 rather than 3.0. */
    static String number(double x) {
        return x == Math.rint(x) && Math.abs(x) < 1e9 ? Long.toString((long) x) : Double.toString(x);
    }

    private static String kebab(String camel) {
        return camel.chars().mapToObj(c -> Character.isUpperCase(c) ? "-" + (char) Character.toLowerCase(c)
                : Character.toString(c))
                .collect(Collectors.joining());
    }
}
