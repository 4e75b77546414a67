// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.function.DoubleUnaryOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A linear map of pictures that acts on rows and columns separately: x to R x C^T with constant matrices R [h,H] and C [w,W].
 */
record Separable(Tensor rows, Tensor columns) {
    /** Traces the map of [B,H,W,C] to [B,h,w,C]. */
    Value apply(Tracer t, Value x) {
        int b = x.dim(0);
        int c = x.dim(3);
        int h = rows.shape().dim(0);
        Value r = t.constant("rows", rows);
        Value flat = t.reshape(x, Shape.of(b, x.dim(1), x.dim(2) * c));
        Value y = t.reshape(t.matmul(r, flat, false, false), Shape.of(b, h, x.dim(2), c)); // [B,h,W,C]
        return right(t, y, false);
    }

    /** Traces the adjoint of [B,h,w,C] to [B,H,W,C]. */
    Value adjoint(Tracer t, Value y) {
        int b = y.dim(0);
        int c = y.dim(3);
        Value wide = right(t, y, true); // [B,h,W,C]
        Value flat = t.reshape(wide, Shape.of(b, y.dim(1), wide.dim(2) * c));
        Value x = t.matmul(t.constant("rows", rows), flat, true, false);
        return t.reshape(x, Shape.of(b, rows.shape().dim(1), wide.dim(2), c));
    }

    /** Traces the map of the columns as one large product: [B,h,W,C] to [B,h,w,C], or its adjoint. */
    private Value right(Tracer t, Value y, boolean adjoint) {
        int b = y.dim(0);
        int h = y.dim(1);
        int c = y.dim(3);
        int to = columns.shape().dim(adjoint ? 1 : 0);
        Value lines = t.reshape(t.transpose(y, 0, 1, 3, 2), Shape.of(b * h * c, y.dim(2)));
        Value done = t.matmul(lines, t.constant("columns", columns), false, !adjoint); // [B*h*C,w]
        return t.transpose(t.reshape(done, Shape.of(b, h, c, to)), 0, 1, 3, 2);
    }

    /** Makes the map; if height and width are equal, rows and columns share one matrix. */
    static Separable of(int height, int width, java.util.function.IntFunction<Tensor> matrix) {
        Tensor rows = matrix.apply(height);
        return new Separable(rows, height == width ? rows : matrix.apply(width));
    }

    /**
     * Returns the matrix [n/s, n] of the reduction by a whole factor s. Row i is the kernel, stretched by s around the centre
     * of block i and normalised to sum 1; beyond its ends the line is mirrored, with the edge repeated.
     *
     * @param support half the width of the kernel before stretching
     */
    static Tensor reduction(int n, int s, DoubleUnaryOperator kernel, int support) {
        double[] m = new double[n / s * n];
        for (int i = 0; i < n / s; i++) {
            double centre = (i + 0.5) * s - 0.5;
            int from = (int) Math.floor(centre - support * s);
            int to = (int) Math.ceil(centre + support * s);
            double sum = 0;
            for (int j = from; j <= to; j++) {
                sum += kernel.applyAsDouble((centre - j) / s);
            }
            for (int j = from; j <= to; j++) {
                m[i * n + mirror(j, n)] += kernel.applyAsDouble((centre - j) / s) / sum;
            }
        }
        return Tensor.of(Shape.of(n / s, n), m);
    }

    /**
     * Returns the matrix [n, n] of the correlation with taps, reflected at the ends without repeating the edge: taps[k] is
     * added to entry (i, reflect(i + k - r)), where r is the middle tap.
     */
    static Tensor correlation(int n, double[] taps) {
        double[] m = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < taps.length; k++) {
                m[i * n + reflect(i + k - taps.length / 2, n)] += taps[k];
            }
        }
        return Tensor.of(Shape.of(n, n), m);
    }

    /** Returns the matrix [before + n + after, n] of reflection padding without repeating the edge; negative numbers crop. */
    static Tensor padding(int n, int before, int after) {
        int rows = before + n + after;
        double[] m = new double[rows * n];
        for (int i = 0; i < rows; i++) {
            m[i * n + reflect(i - before, n)] = 1;
        }
        return Tensor.of(Shape.of(rows, n), m);
    }

    /** Returns the index in 0 .. n-1 of the line that is mirrored with the edge repeated: ... 1 0 | 0 1 2 | 2 1 ... */
    static int mirror(int i, int n) {
        int j = Math.floorMod(i, 2 * n);
        return j < n ? j : 2 * n - 1 - j;
    }

    /** Returns the index in 0 .. n-1 of the line that is reflected without repeating the edge: ... 2 1 | 0 1 2 | 1 0 ... */
    static int reflect(int i, int n) {
        if (n == 1) {
            return 0;
        }
        int j = Math.floorMod(i, 2 * n - 2);
        return j < n ? j : 2 * n - 2 - j;
    }
}
