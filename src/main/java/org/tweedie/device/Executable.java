// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.Map;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;

/** A program made ready on one device. Two threads must not use it at once. */
public interface Executable extends AutoCloseable {
    /** The program that was compiled. */
    Program program();

    /**
     * Runs the program once.
     *
     * @param inputs a tensor for each input of the program, of its shape (real inputs may be F32 or F64)
     * @return a new tensor for each output, F32 (F64 on the reference device)
     * @throws IllegalArgumentException when an input is missing, unknown or of another shape
     */
    Map<String, Tensor> run(Map<String, Tensor> inputs);

    /** Seconds that the last run took by the device's own clock, without copies in and out; NaN where the device has none. */
    default double deviceSeconds() {
        return Double.NaN;
    }

    /** Bytes of its arena: all values that are neither constants nor outside of the program. */
    long arenaBytes();

    /** The bytes of its arena in use during each instruction of {@link #program}; empty where the device does not know. */
    default long[] arenaInUse() {
        return new long[0];
    }

    @Override
    void close();
}
