// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

/**
 * The checks that the machine makes. Bounds, alignment, null pointers and barriers are always checked.
 *
 * @param uninitialised whether reading a register or a byte of memory that nothing has written is a fault
 * @param races whether it is a fault when two threads touch the same bytes with no barrier between and one of them writes
 * @param counts whether instructions, memory traffic and bank conflicts are counted
 * @param approximation which results the approximate instructions (ex2, lg2, sin, cos, tanh, rcp, rsqrt, sqrt, div) give
 * @param threads the host threads that run blocks side by side; with races or counts there is one
 */
public record MachineOptions(boolean uninitialised, boolean races, boolean counts, Approximation approximation, int threads) {
    /** The results of approximate instructions: the ISA bounds their error but does not specify the bits. */
    public enum Approximation {
        /** The exact value is rounded to nearest. */
        NEAREST,
        /**
         * The result differs from the exact value by the whole error that the ISA allows; the last bit of the argument decides
         * whether it is above or below.
         */
        WORST
    }

    /** Makes all checks, for tests of kernels. */
    public static final MachineOptions STRICT = new MachineOptions(true, true, false, Approximation.WORST, 1);

    /** Makes all checks except races, for whole networks. */
    public static MachineOptions running(int threads) {
        return new MachineOptions(true, false, false, Approximation.NEAREST, threads);
    }
}
