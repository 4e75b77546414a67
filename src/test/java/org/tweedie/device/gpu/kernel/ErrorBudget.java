// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.tweedie.program.DType;
import org.tweedie.program.Rounding;

/** How far a kernel's result may be from the result in double. */
final class ErrorBudget {
    private static final double F32 = 1e-5;

    private ErrorBudget() {}

    /**
     * Euclidean norms: of F32 at most 1e-5 of the result; of 16-bit types at most twice what rounding the exact result once to
     * the type loses, and that.
     */
    static void check(String what, DType dtype, double[] expected, double[] actual) {
        assertEquals(expected.length, actual.length, what);
        double norm = 0;
        double error = 0;
        double rounding = 0;
        for (int i = 0; i < expected.length; i++) {
            norm += expected[i] * expected[i];
            error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            double once = dtype == DType.F32 ? expected[i] : Rounding.to(dtype, (float) expected[i]);
            rounding += (once - expected[i]) * (once - expected[i]);
        }
        double budget = 2 * Math.sqrt(rounding) + F32 * Math.sqrt(norm);
        assertTrue(Math.sqrt(error) <= budget, what + " in " + dtype + ": error " + Math.sqrt(error) + ", budget " + budget
                + ", norm " + Math.sqrt(norm));
    }
}
