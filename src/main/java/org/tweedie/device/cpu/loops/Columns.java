// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.VectorMath.L;
import static org.tweedie.device.cpu.loops.VectorMath.all;
import static org.tweedie.device.cpu.loops.VectorMath.load;
import static org.tweedie.device.cpu.loops.VectorMath.store;

import jdk.incubator.vector.FloatVector;

/**
 * Loops over n rows of columns as wide as one vector. {@code step} is the bytes from a row of x to the next; working memory is
 * packed, with one vector per row. Whole vectors are read even where fewer columns are left; the results of the columns beyond
 * the last are dropped.
 */
final class Columns {
    private Columns() {}

    /** Returns the sum over the rows. */
    static FloatVector sum(long x, long step, int n) {
        FloatVector s = all(0);
        for (int i = 0; i < n; i++) {
            s = s.add(load(x + i * step));
        }
        return s;
    }

    /** Returns the sum of squared distances from m. */
    static FloatVector squares(long x, long step, int n, FloatVector m) {
        FloatVector s = all(0);
        for (int i = 0; i < n; i++) {
            FloatVector d = load(x + i * step).sub(m);
            s = d.fma(d, s);
        }
        return s;
    }

    /** Returns the sum of x y, both packed. */
    static FloatVector dot(long x, long y, int n) {
        FloatVector s = all(0);
        for (int i = 0; i < n; i++) {
            s = load(x + 4L * L * i).fma(load(y + 4L * L * i), s);
        }
        return s;
    }

    /** Computes y = (x - mean) scale + shift, packed. */
    static void normalise(long x, long step, int n, FloatVector mean, FloatVector scale, FloatVector shift, long y) {
        for (int i = 0; i < n; i++) {
            store(load(x + i * step).sub(mean).fma(scale, shift), y + 4L * L * i);
        }
    }

    /** Computes v = (v - along - xhat alongXhat) scale, both packed. */
    static void project(long xhat, long v, int n, FloatVector along, FloatVector alongXhat, FloatVector scale) {
        FloatVector minus = alongXhat.neg();
        for (int i = 0; i < n; i++) {
            long o = 4L * L * i;
            store(load(xhat + o).fma(minus, load(v + o).sub(along)).mul(scale), v + o);
        }
    }

    /** Writes the first {@code width} columns of packed x to rows that are a step apart. */
    static void scatter(long x, long y, long step, int n, int width) {
        if (width < L) {
            for (int i = 0; i < n; i++) {
                MoveLoops.copy(x + 4L * L * i, y + i * step, 4L * width);
            }
            return;
        }
        for (int i = 0; i < n; i++) {
            store(load(x + 4L * L * i), y + i * step);
        }
    }
}
