// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What is to be closed, the last added first. After a kernel's fault every call of the driver fails with the fault's status; so each step is tried whatever
 * became of those before it, and the first failure is thrown at the end with the others suppressed in it.
 */
final class Closing implements AutoCloseable {
    private final Deque<Runnable> steps = new ArrayDeque<>();

    void add(Runnable step) {
        steps.push(step);
    }

    /** Closes after a failure, which stays the one to be told. */
    void closeAfter(Throwable failure) {
        try {
            close();
        } catch (RuntimeException | Error e) {
            failure.addSuppressed(e);
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
