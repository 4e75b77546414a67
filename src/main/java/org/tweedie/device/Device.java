// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import org.tweedie.program.Program;

/** Something that runs programs. Closing it frees the weights it holds; executables must be closed before. */
public interface Device extends AutoCloseable {
    /** The name by which users ask for it, for example {@code --device cpu}. */
    String name();

    /** One line about the hardware and libraries behind it. */
    String description();

    /** Plans the memory of a program and prepares its weights and kernels. */
    Executable compile(Program program);

    /** Bytes of device memory held now: weights and the arenas of open executables. */
    long liveBytes();

    /** The most bytes that it has taken from the hardware until now, including those that it keeps for later. */
    default long peakBytes() {
        return liveBytes();
    }

    /** The most bytes of weights and of arenas that it has held until now; where it does not tell them apart, all as weights. */
    default Footprint footprint() {
        return new Footprint(peakBytes(), 0);
    }

    @Override
    void close();
}
