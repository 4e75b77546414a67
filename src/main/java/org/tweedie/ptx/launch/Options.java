// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

/**
 * How closely the machine looks. Bounds, alignment, null pointers and barriers are always checked.
 *
 * @param uninitialised whether reading a register or a byte of memory that nothing has written is a fault
 * @param races whether two threads that touch the same bytes with no barrier between, one of them writing, are a fault
 * @param counts whether instructions, memory traffic and bank conflicts are counted
 * @param approximation what the approximate instructions (ex2, lg2, sin, cos, tanh, rcp, rsqrt, sqrt, div) give
 * @param threads host threads that run blocks side by side; with races or counts it is one
 */
public record Options(boolean uninitialised, boolean races, boolean counts, Approximation approximation, int threads) {
    /** Results of approximate instructions: the ISA bounds their error but does not say the bits. */
    public enum Approximation {
        /** The exact value rounded to nearest. */
        NEAREST,
        /** Off from the exact value by the whole error that the ISA allows, up or down by turns of the last bit of the argument. */
        WORST
    }

    /** All checks: what tests of kernels use. */
    public static final Options STRICT = new Options(true, true, false, Approximation.WORST, 1);

    /** For whole networks: all checks but races. */
    public static Options running(int threads) {
        return new Options(true, false, false, Approximation.NEAREST, threads);
    }
}
