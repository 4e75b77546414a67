// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

/** Follows a restoration or a generation, and may cancel it. */
@FunctionalInterface
public interface Listener {
    /** A listener that does nothing. */
    Listener NONE = s -> { };

    /** Called after each step, on the thread that runs the step. */
    void step(Step step);

    /**
     * Returns true to cancel the run. It is called before each network evaluation and each compilation. Once it returns true,
     * the run throws {@link java.util.concurrent.CancellationException} and frees its memory.
     */
    default boolean cancelled() {
        return false;
    }
}
