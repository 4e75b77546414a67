// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClosingTest {
    private final List<String> closed = new ArrayList<>();
    private final Closing closing = new Closing();

    private void add(String name, RuntimeException failure) {
        closing.add(() -> {
            closed.add(name);
            if (failure != null) {
                throw failure;
            }
        });
    }

    @Test
    void theLastFirstEachOnce() {
        add("a", null);
        add("b", null);
        closing.close();
        closing.close();
        assertEquals(List.of("b", "a"), closed);
    }

    @Test
    void eachStepIsTriedAndTheFirstFailureIsThrown() {
        RuntimeException first = new IllegalStateException("first");
        RuntimeException second = new IllegalStateException("second");
        add("a", second);
        add("b", first); // the same again, as a faulted card may throw it
        add("c", first);
        add("d", null);
        assertSame(first, assertThrows(IllegalStateException.class, closing::close));
        assertEquals(List.of("d", "c", "b", "a"), closed);
        assertArrayEquals(new Throwable[] {second}, first.getSuppressed());
    }

    @Test
    void afterAFailureThatOneIsTold() {
        RuntimeException failure = new IllegalStateException("failure");
        RuntimeException later = new IllegalStateException("later");
        add("a", later);
        Closing.after(failure, closing::close);
        Closing.after(failure, () -> {
            throw failure;
        });
        assertArrayEquals(new Throwable[] {later}, failure.getSuppressed());
    }
}
