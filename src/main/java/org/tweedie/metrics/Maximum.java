// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;

/**
 * Maxima, traced from the ops that there are. A metric's network runs forward only and is small, so no op of its own is needed.
 *
 * <p>The absolute value is the root of the square. Where the root is rounded to nearest, that is exact in F32 for numbers that
 * are 0 or have a size of 1e-18 to 1e19, and smaller ones come out with an error below their size.
 */
final class Maximum {
    private Maximum() {}

    /** Emits max(x, 0) = (x + |x|) / 2, element by element. */
    static Value relu(Tracer t, Value x) {
        return t.scale(t.add(x, t.unary(Fn.SQRT, t.mul(x, x))), 0.5);
    }

    /**
     * Emits the maximum of two values that are not below 0, as x + max(y - x, 0). Rounding changes it by at most one unit in the
     * last place.
     */
    static Value of(Tracer t, Value x, Value y) {
        return t.add(x, relu(t, t.sub(y, x)));
    }

    /**
     * Emits the maxima over windows of x [B,H,W,C], which is not below 0, at every second row and column: [B,H',W',C] with H' =
     * floor((H - window) / 2) + 1. There is no padding; rows and columns that fill no window are dropped.
     *
     * @param window 2 or 3, the side of a window
     */
    static Value pool(Tracer t, Value x, int window) {
        return along(t, along(t, x, 1, window), 2, window);
    }

    /** Pools along one axis. The axis is cut into pairs; a window of three is a pair and the first of the next one. */
    private static Value along(Tracer t, Value x, int axis, int window) {
        int extent = x.dim(axis);
        if (extent < window) {
            throw new IllegalArgumentException("max pooling: expected at least " + window + " rows and columns, got "
                    + x.shape());
        }
        int windows = (extent - window) / 2 + 1;
        int pairs = windows + window - 2;
        Value even = extent >= 2 * pairs ? t.slice(x, axis, 0, 2 * pairs) : t.pad(x, axis, 0, 2 * pairs - extent);
        int outer = (int) x.shape().size(0, axis);
        int inner = (int) x.shape().size(axis + 1, 4);
        Value paired = t.reshape(even, Shape.of(outer, pairs, 2, inner));
        Value first = t.slice(paired, 2, 0, 1);
        Value second = t.slice(paired, 2, 1, 2);
        Value most = of(t, t.slice(first, 1, 0, windows), t.slice(second, 1, 0, windows));
        if (window == 3) {
            most = of(t, most, t.slice(first, 1, 1, pairs));
        }
        return t.reshape(most, x.shape().with(axis, windows));
    }
}
