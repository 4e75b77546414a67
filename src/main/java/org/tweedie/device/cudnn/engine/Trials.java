// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

/** The memory and the clock of a card, which are needed to try engines on it. */
public interface Trials {
    /**
     * Allocates device memory and returns its address, a multiple of 256. The content of the memory does not matter. Returns 0
     * when there is not enough memory, and for no other reason.
     *
     * @throws RuntimeException when something else fails, for example because the card has faulted
     */
    long allocate(long bytes);

    /** Frees memory that {@link #allocate} returned. */
    void free(long address);

    /**
     * Waits until the work that was started is done.
     *
     * @throws RuntimeException when the card has faulted, after which nothing runs on it
     */
    void await();

    /**
     * Returns the device time, in seconds, of the work that the given run starts on the library's stream. The time is infinite if
     * the work cannot be part of a graph of launches.
     */
    double seconds(Runnable run);
}
