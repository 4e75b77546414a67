// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.util.Locale;

/** Numbers as text, the same in every country. */
public final class Numbers {
    private Numbers() {}

    /** Exact and short: 3 rather than 3.0. */
    public static String of(double x) {
        return x == Math.rint(x) && Math.abs(x) < 1e9 ? Long.toString((long) x) : Double.toString(x);
    }

    /** With so many digits behind the point. */
    public static String of(double x, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", x);
    }

    /** As in {@code 12.3 MB}; decimal units. */
    public static String bytes(long n) {
        return n < 1000 ? n + " B" : n < 1_000_000 ? of(n / 1e3, 1) + " kB" : n < 1_000_000_000 ? of(n / 1e6, 1) + " MB" : of(n / 1e9, 2) + " GB";
    }

    /** With commas between thousands. */
    public static String grouped(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }
}
