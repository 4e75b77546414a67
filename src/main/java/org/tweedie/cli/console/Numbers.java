// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.util.Locale;

/** Formats numbers as text, independent of the locale. */
public final class Numbers {
    private Numbers() {}

    /** Returns the shortest exact form of a number: 3 rather than 3.0. */
    public static String of(double x) {
        return x == Math.rint(x) && Math.abs(x) < 1e9 ? Long.toString((long) x) : Double.toString(x);
    }

    /** Returns a number with the given number of digits after the decimal point. */
    public static String of(double x, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", x);
    }

    /** Returns a number of bytes in decimal units, for example {@code 12.3 MB}. */
    public static String bytes(long n) {
        return n < 1000 ? n + " B" : n < 1_000_000 ? of(n / 1e3, 1) + " kB" : n < 1_000_000_000 ? of(n / 1e6, 1) + " MB"
                : of(n / 1e9, 2) + " GB";
    }

    /** Returns a number with commas between thousands. */
    public static String grouped(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }
}
