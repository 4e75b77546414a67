// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.List;

/**
 * The words of a task, for example {@code motion:61:0.5}.
 *
 * @param spec the task as it was written
 * @param words the parts between the colons; the first is the family's name
 */
public record Task(String spec, List<String> words) {
    /** Splits a task into its words. */
    public static Task of(String spec) {
        return new Task(spec, List.of(spec.split(":", -1)));
    }

    /** The family's name. */
    public String name() {
        return words.getFirst();
    }

    /** The number of words after the name. */
    public int count() {
        return words.size() - 1;
    }

    /** Returns word i; the name is word 0. */
    public String word(int i) {
        return words.get(i);
    }

    /** Checks the number of words after the name. @throws IllegalArgumentException unless it is from least to most */
    public Task requireCount(int least, int most) {
        if (count() < least || count() > most) {
            String expected = least == most ? Integer.toString(least) : least + " to " + most;
            throw new IllegalArgumentException("task '" + spec + "': expected " + expected + (most == 1 ? " number" : " numbers")
                    + " after '" + name()
                    + "', got " + count() + "; known: " + Operators.grammar());
        }
        return this;
    }

    /** Returns word i as a whole number, or a default if there is no such word. */
    public int whole(int i, int otherwise) {
        return i <= count() ? whole(spec, word(i)) : otherwise;
    }

    /** Returns word i as a number, or a default if there is no such word. */
    public double number(int i, double otherwise) {
        return i <= count() ? number(spec, word(i)) : otherwise;
    }

    static int whole(String spec, String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + spec + "': expected a whole number, got '" + text + "'");
        }
    }

    static double number(String spec, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + spec + "': expected a number, got '" + text + "'");
        }
    }

    /** Returns the shortest form of a number: 3 rather than 3.0. */
    static String text(double x) {
        return x == Math.rint(x) && Math.abs(x) < 1e9 ? Long.toString((long) x) : Double.toString(x);
    }
}
