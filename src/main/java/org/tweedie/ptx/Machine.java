// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

/** Runs kernels written in PTX, as a GPU of compute capability 8.0 would, slowly and suspiciously. */
public final class Machine {
    private final Memory memory;
    private final Options options;

    public Machine(Memory memory, Options options) {
        this.memory = memory;
        this.options = options;
    }

    /**
     * Runs one grid to its end.
     *
     * @param shared bytes of dynamic shared memory
     * @param args one per parameter: {@link Window} for a pointer (null: a null pointer), Integer, Long, Float or Double for numbers, int[] for
     *        a struct of 32-bit integers
     * @return what was counted; zeros unless the options ask for it
     * @throws PtxException when the launch does not fit the kernel
     * @throws KernelFault when the kernel does what it must not
     */
    public Counts launch(Entry kernel, Size grid, Size block, int shared, Object... args) {
        throw new UnsupportedOperationException("not yet");
    }
}
