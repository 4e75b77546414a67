// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.io.UncheckedIOException;

/** Reports an error to the user: one line on standard error and an exit code. */
public final class Faults {
    /** The exit code after a failure. */
    public static final int FAILED = 1;
    /** The exit code after a mistake in the command line or its files. */
    public static final int MISUSED = 2;

    private Faults() {}

    /** Prints the error. @return {@link #MISUSED} for a mistake in the command line or its files, else {@link #FAILED} */
    public static int report(Throwable e, boolean stacktrace) {
        Throwable told = e instanceof UncheckedIOException && e.getCause() != null ? e.getCause() : e;
        if (stacktrace) {
            told.printStackTrace();
        }
        System.err.println("tweedie: " + line(told));
        return told instanceof IllegalArgumentException ? MISUSED : FAILED;
    }

    private static String line(Throwable e) {
        return switch (e) {
            case java.nio.file.NoSuchFileException f -> f.getMessage() + ": no such file or folder";
            case java.nio.file.AccessDeniedException f -> f.getMessage() + ": permission denied";
            case OutOfMemoryError m -> "out of memory (" + m.getMessage() + "); try a smaller picture, or close other programs";
            case NullPointerException n -> unexpected(n);
            case IndexOutOfBoundsException i -> unexpected(i);
            case ClassCastException c -> unexpected(c);
            default -> e.getMessage() == null ? unexpected(e) : e.getMessage();
        };
    }

    /** Returns the message for an exception without a message for users, which is an error in Tweedie itself. */
    private static String unexpected(Throwable e) {
        return "internal error, please report it: " + e + "; --stacktrace shows where";
    }
}
