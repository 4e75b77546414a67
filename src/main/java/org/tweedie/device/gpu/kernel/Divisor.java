// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import org.tweedie.device.gpu.launch.Arg;

/**
 * A number that a kernel divides by, as {@code Div} of kernels/axes.cuh: n / d = (high word of n mul + n) >> shift for 0 <= n <
 * 2^31 (Granlund and Montgomery, Division by Invariant Integers using Multiplication, 1994).
 */
record Divisor(int d, int mul, int shift) {
    /** @throws IllegalArgumentException unless 1 <= d < 2^31 */
    static Divisor of(long d) {
        if (d < 1 || d > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("divisor: expected a number from 1 to 2^31 - 1, got " + d);
        }
        int shift = 64 - Long.numberOfLeadingZeros(d - 1); // logarithm of the least power of two that is not below d
        return new Divisor((int) d, (int) ((((1L << shift) - d) << 32) / d + 1), shift);
    }

    Arg.Ints arg() {
        return new Arg.Ints(d, mul, shift);
    }
}
