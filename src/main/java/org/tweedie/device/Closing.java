// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Closes things, the last added first. After a kernel's fault every call of a GPU's driver and libraries fails with the fault's
 * status; so each step is tried whatever became of those before it, and the first failure is thrown at the end with the others
 * suppressed in it.
 */
public final class Closing implements AutoCloseable {
    private final Deque<Runnable> steps = new ArrayDeque<>();

    /** The step is run when this is closed, before those that were added earlier. */
    public void add(Runnable step) {
        steps.push(step);
    }

    /** Closes something after a failure; a failure of that is suppressed in the first. */
    public static void after(Throwable failure, Runnable close) {
        try {
            close.run();
        } catch (RuntimeException | Error e) {
            if (e != failure) {
                failure.addSuppressed(e);
            }
        }
    }

    @Override
    public void close() {
        Throwable first = null;
        while (!steps.isEmpty()) {
            try {
                steps.pop().run();
            } catch (RuntimeException | Error e) {
                if (first == null) {
                    first = e;
                } else if (first != e) {
                    first.addSuppressed(e);
                }
            }
        }
        switch (first) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> { }
        }
    }
}
