// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.tweedie.program.op.Fn;

/** The vector functions against double precision, over all of their range. */
class VectorMathTest {
    /** Largest |f(x) - exact| / max(|exact|, floor) for x from..to. */
    private static double error(UnaryOperator<FloatVector> f, DoubleUnaryOperator exact, double from, double to, double floor) {
        double worst = 0;
        int n = 20_000;
        float[] x = new float[VectorMath.L];
        float[] y = new float[VectorMath.L];
        for (int i = 0; i < n; i += x.length) {
            for (int j = 0; j < x.length; j++) {
                x[j] = (float) (from + (to - from) * (i + j) / n);
            }
            f.apply(FloatVector.fromArray(VectorMath.S, x, 0)).intoArray(y, 0);
            for (int j = 0; j < x.length; j++) {
                double e = exact.applyAsDouble(x[j]);
                worst = Math.max(worst, Math.abs(y[j] - e) / Math.max(Math.abs(e), floor));
            }
        }
        return worst;
    }

    private static void below(double bound, double error) {
        assertTrue(error <= bound, "error " + error + " above " + bound);
    }

    @Test
    void exponential() {
        below(1.5e-7, error(VectorMath::exp, Math::exp, -87, 88.7, Float.MIN_NORMAL));
        float[] x = new float[VectorMath.L];
        x[0] = Float.NaN;
        x[1] = Float.POSITIVE_INFINITY;
        x[2] = Float.NEGATIVE_INFINITY;
        x[3] = 200;
        float[] y = new float[VectorMath.L];
        VectorMath.exp(FloatVector.fromArray(VectorMath.S, x, 0)).intoArray(y, 0);
        assertTrue(Float.isNaN(y[0]));
        assertEquals(Float.POSITIVE_INFINITY, y[1]);
        assertEquals(0f, y[2]);
        assertEquals(Float.POSITIVE_INFINITY, y[3]);
    }

    @Test
    void activations() {
        below(4e-7, error(VectorMath::silu, x -> Fn.SILU.at(0, x), -80, 80, 1e-30));
        below(3e-7, error(VectorMath::siluSlope, x -> Fn.SILU.at(1, x), -80, 80, 0.1));
        below(3e-7, error(VectorMath::gelu, x -> Fn.GELU.at(0, x), -10, 10, 0.1));
        below(3e-7, error(VectorMath::geluSlope, x -> Fn.GELU.at(1, x), -10, 10, 0.1));
    }
}
