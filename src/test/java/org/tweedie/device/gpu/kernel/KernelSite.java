// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.lang.foreign.MemorySegment;
import org.tweedie.device.gpu.launch.Launch;

/** Where kernels under test run: memory of a device, and launches on it. */
public interface KernelSite extends AutoCloseable {
    /**
     * A block that no other has.
     *
     * @param guard bytes at its start and at its end that no kernel may touch
     * @param mark what all its bytes hold at first
     * @return its address
     */
    long allocate(long bytes, int guard, byte mark);

    /** Sets bytes, which then count as written. */
    void write(long address, MemorySegment bytes);

    byte[] read(long address, long bytes);

    /** Runs, and waits until it is done. */
    void launch(Launch l);

    /** Frees all blocks. */
    @Override
    void close();
}
