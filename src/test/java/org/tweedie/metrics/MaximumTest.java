// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.device.Executable;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

class MaximumTest {
    private interface Traced {
        Value of(Tracer t, Value x);
    }

    private static Tensor run(String device, Tensor x, Traced f) {
        Tracer t = new Tracer("maximum");
        t.output("y", f.of(t, t.input("x", Type.real(x.shape().dims()))));
        try (Device d = Devices.open(device, 1); Executable e = d.compile(t.finish())) {
            return e.run(Map.of("x", x)).get("y");
        }
    }

    /** The numbers of every size that F32 networks meet; the result is exact, without any tolerance. */
    @Test
    void reluIsExact() {
        float[] x = new float[4001];
        new Philox(1, Philox.Stream.NOISE).normals(0, x);
        for (int i = 0; i < x.length; i++) {
            x[i] *= (float) Math.pow(10, i % 31 - 15);
        }
        x[7] = 0;
        for (String device : List.of("reference", "cpu")) {
            Tensor y = run(device, Tensor.of(Shape.of(x.length), x), Maximum::relu);
            for (int i = 0; i < x.length; i++) {
                assertEquals(Math.max(x[i], 0), y.get(i), device + " of " + x[i]);
            }
        }
    }

    /** Sizes are even and odd, so that rows and columns are dropped, fill a last window, or share it. */
    @Test
    void poolTakesTheLargestOfEachWindow() {
        for (int window : new int[] {2, 3}) {
            for (int[] size : new int[][] {{3, 3}, {4, 7}, {9, 8}, {13, 6}}) {
                Shape s = Shape.of(2, size[0], size[1], 3);
                float[] x = new float[(int) s.size()];
                new Philox(window, Philox.Stream.NOISE).normals(0, x);
                for (int i = 0; i < x.length; i++) {
                    x[i] = Math.max(x[i], 0);
                }
                double[] expected = pooled(Tensor.of(s, x), window);
                for (String device : List.of("reference", "cpu")) {
                    Tensor y = run(device, Tensor.of(s, x), (t, v) -> Maximum.pool(t, v, window));
                    assertEquals(Shape.of(2, (size[0] - window) / 2 + 1, (size[1] - window) / 2 + 1, 3), y.shape());
                    for (int i = 0; i < expected.length; i++) {
                        assertEquals(expected[i], y.get(i), 2e-7 * expected[i], device + " " + window + " of " + s);
                    }
                }
            }
        }
    }

    private static double[] pooled(Tensor x, int window) {
        Shape s = x.shape();
        int rows = (s.dim(1) - window) / 2 + 1;
        int columns = (s.dim(2) - window) / 2 + 1;
        double[] y = new double[s.dim(0) * rows * columns * s.dim(3)];
        for (int i = 0; i < y.length; i++) {
            int c = i % s.dim(3);
            int column = i / s.dim(3) % columns;
            int row = i / s.dim(3) / columns % rows;
            int b = i / s.dim(3) / columns / rows;
            y[i] = Double.NEGATIVE_INFINITY;
            for (int k = 0; k < window * window; k++) {
                int at = ((b * s.dim(1) + 2 * row + k / window) * s.dim(2) + 2 * column + k % window) * s.dim(3) + c;
                y[i] = Math.max(y[i], x.get(at));
            }
        }
        return y;
    }

    @Test
    void poolRefusesWhatHoldsNoWindow() {
        Tracer t = new Tracer("maximum");
        Value x = t.input("x", Type.real(1, 2, 5, 4));
        var e = assertThrows(IllegalArgumentException.class, () -> Maximum.pool(t, x, 3));
        assertEquals("max pooling: expected at least 3 rows and columns, got " + x.shape(), e.getMessage());
    }
}
