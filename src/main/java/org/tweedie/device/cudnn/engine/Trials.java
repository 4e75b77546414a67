// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

/** What it takes to try engines on a card: memory and a clock. */
public interface Trials {
    /**
     * Address of so many bytes of device memory, a multiple of 256; what they hold does not matter. 0 when there are not so many, and for no other reason.
     *
     * @throws RuntimeException for whatever else fails: a card that has faulted, say
     */
    long allocate(long bytes);

    /** Gives back what {@link #allocate} gave. */
    void free(long address);

    /** Waits until what was started is done. @throws RuntimeException when the card has faulted: nothing runs on it any more */
    void await();

    /** Device time, in seconds, of the work that the given run starts on the library's stream; infinite if it cannot be part of a graph of launches. */
    double seconds(Runnable run);
}
