// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.tweedie.program.op.Fn;

/** Tests the vector functions and sums against double precision, over their whole range. */
class StripsTest {
    private static final int N = 4096;

    /** A loop y = f(x) that is given working memory. */
    private interface Strip {
        void apply(long x, long y, long temp);
    }

    /** Returns the largest |f(x) - exact| / max(|exact|, floor) for x from..to. */
    private static double error(Strip f, DoubleUnaryOperator exact, double from, double to, double floor) {
        try (Arena arena = Arena.ofConfined()) {
            long x = arena.allocate(4 * N, 64).address();
            long y = arena.allocate(4 * N, 64).address();
            for (int i = 0; i < N; i++) {
                VectorMath.set(x + 4L * i, (float) (from + (to - from) * i / N));
            }
            f.apply(x, y, arena.allocate(4 * N, 64).address());
            double worst = 0;
            for (int i = 0; i < N; i++) {
                double e = exact.applyAsDouble(VectorMath.get(x + 4L * i));
                worst = Math.max(worst, Math.abs(VectorMath.get(y + 4L * i) - e) / Math.max(Math.abs(e), floor));
            }
            return worst;
        }
    }

    private static void below(double bound, double error) {
        assertTrue(error <= bound, "error " + error + " above " + bound);
    }

    @Test
    void exponential() {
        below(1.5e-7, error((x, y, t) -> Strips.exp(x, 1, 0, 89, y, N), Math::exp, -87, 88.7, Float.MIN_NORMAL));
        try (Arena arena = Arena.ofConfined()) {
            long x = arena.allocate(64, 64).address();
            float[] in = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 200};
            float[] out = {Float.NaN, Float.POSITIVE_INFINITY, 0, Float.POSITIVE_INFINITY};
            for (int i = 0; i < in.length; i++) {
                VectorMath.set(x + 4L * i, in[i]);
            }
            Strips.exp(x, 1, 0, 89, x, VectorMath.L);
            for (int i = 0; i < in.length; i++) {
                assertEquals(out[i], VectorMath.get(x + 4L * i));
            }
        }
    }

    @Test
    void silu() {
        below(4e-7, error((x, y, e) -> {
            Strips.exp(x, -1, 0, 89, e, N);
            Strips.silu(x, e, y, N);
        }, x -> Fn.SILU.at(0, x), -80, 80, 1e-30));
        below(3e-7, error((x, y, e) -> {
            Strips.exp(x, -1, 0, 88, e, N);
            Strips.siluSlope(x, 1, e, y, N);
        }, x -> Fn.SILU.at(1, x), -120, 120, 0.1));
    }

    @Test
    void gelu() {
        Strip exponent = (x, y, e) -> {
            Strips.square(x, e, N);
            Strips.exp(e, -0.5f, 0, 89, e, N);
        };
        below(3e-7, error((x, y, e) -> {
            exponent.apply(x, y, e);
            Strips.gelu(x, e, y, N);
        }, x -> Fn.GELU.at(0, x), -20, 20, 0.5));
        below(3e-7, error((x, y, e) -> {
            exponent.apply(x, y, e);
            Strips.geluSlope(x, e, y, N);
        }, x -> Fn.GELU.at(1, x), -20, 20, 0.5));
    }

    /** A sum of N numbers far from 0 keeps its digits. */
    @Test
    void sums() {
        Random r = new Random(1);
        try (Arena arena = Arena.ofConfined()) {
            long x = arena.allocate(4 * N, 64).address();
            double exact = 0;
            double squares = 0;
            for (int i = 0; i < N - 3; i++) {
                float v = (float) (1000 + r.nextGaussian());
                VectorMath.set(x + 4L * i, v);
                exact += v;
                squares += (double) v * v;
            }
            assertEquals(exact, Strips.sum(x, N - 3), 1e-6 * exact);
            assertEquals(squares, Strips.dot(x, x, N - 3), 1e-6 * squares);
        }
    }
}
