// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.tweedie.device.cpu.VectorMath.L;
import static org.tweedie.device.cpu.VectorMath.S;
import static org.tweedie.device.cpu.VectorMath.all;
import static org.tweedie.device.cpu.VectorMath.load;
import static org.tweedie.device.cpu.VectorMath.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.tweedie.program.Shape;
import org.tweedie.program.op.GroupNorm;

/** Group norm of one group at one place, which is layer norm, and its derivatives: a row at a time, in the cache. */
final class LayerNorms {
    private static final int GRAIN = 1 << 14;

    private final int n; // channels
    private final double eps;
    private final float[] lanes = new float[L]; // of one chunk

    private LayerNorms(int n, double eps) {
        this.n = n;
        this.eps = eps;
    }

    static Kernel forward(Parallel parallel, GroupNorm op, Shape x) {
        int c = x.dim(-1);
        int rows = x.dim(0);
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / c));
        return Kernel.of(p -> {
            long px = p.in(0);
            long gamma = p.in(1);
            long beta = p.in(2);
            long py = p.out(0);
            return () -> parallel.run(chunks, k -> {
                LayerNorms norm = new LayerNorms(c, op.eps());
                long end = Parallel.from(k + 1, chunks, rows, 1);
                for (long r = Parallel.from(k, chunks, rows, 1); r < end; r++) {
                    norm.forward(px + 4 * r * c, gamma, beta, py + 4 * r * c);
                }
            });
        });
    }

    /** Pull-back (v = gamma dy, dx = r project(v)) or push-forward (v = tx, ty = gamma r project(v)). */
    static Kernel derivative(Parallel parallel, GroupNorm op, Shape x, boolean pullBack) {
        int c = x.dim(-1);
        int rows = x.dim(0);
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / c));
        return Kernel.of(p -> {
            long px = p.in(0);
            long gamma = p.in(1);
            long pt = p.in(3);
            long py = p.out(0);
            return () -> parallel.run(chunks, k -> {
                LayerNorms norm = new LayerNorms(c, op.eps());
                long end = Parallel.from(k + 1, chunks, rows, 1);
                for (long r = Parallel.from(k, chunks, rows, 1); r < end; r++) {
                    norm.derivative(px + 4 * r * c, gamma, pt + 4 * r * c, py + 4 * r * c, pullBack);
                }
            });
        });
    }

    private FloatVector take(long base, int i) {
        return i + L <= n ? load(base + 4L * i) : load(base + 4L * i, S.indexInRange(i, n));
    }

    private void put(FloatVector v, long base, int i) {
        if (i + L <= n) {
            store(v, base + 4L * i);
        } else {
            VectorMask<Float> m = S.indexInRange(i, n);
            store(v, base + 4L * i, m);
        }
    }

    private double mean(long x) {
        FloatVector s = all(0);
        for (int i = 0; i < n; i += L) {
            s = s.add(take(x, i));
        }
        return Reductions.sum(s, lanes) / n;
    }

    /** 1 / sqrt(var + eps). */
    private float inverseDeviation(long x, float mean) {
        FloatVector m = all(mean);
        FloatVector s = all(0);
        int i = 0;
        for (; i <= n - L; i += L) {
            FloatVector d = load(x + 4L * i).sub(m);
            s = d.fma(d, s);
        }
        double squares = Reductions.sum(s, lanes);
        for (; i < n; i++) {
            double d = VectorMath.get(x + 4L * i) - mean;
            squares += d * d;
        }
        return (float) (1 / Math.sqrt(squares / n + eps));
    }

    private void forward(long x, long gamma, long beta, long y) {
        float mean = (float) mean(x);
        FloatVector m = all(mean);
        FloatVector r = all(inverseDeviation(x, mean));
        for (int i = 0; i < n; i += L) {
            put(take(x, i).sub(m).mul(r).fma(take(gamma, i), take(beta, i)), y, i);
        }
    }

    private void derivative(long x, long gamma, long t, long y, boolean pullBack) {
        float mean = (float) mean(x);
        FloatVector m = all(mean);
        FloatVector r = all(inverseDeviation(x, mean));
        FloatVector s = all(0);
        FloatVector q = all(0);
        for (int i = 0; i < n; i += L) {
            FloatVector v = pullBack ? take(t, i).mul(take(gamma, i)) : take(t, i); // 0 beyond n
            s = s.add(v);
            q = take(x, i).sub(m).mul(r).fma(v, q);
        }
        FloatVector along = all(Reductions.sum(s, lanes) / n);
        FloatVector alongXhat = all(-Reductions.sum(q, lanes) / n);
        for (int i = 0; i < n; i += L) {
            FloatVector v = pullBack ? take(t, i).mul(take(gamma, i)) : take(t, i);
            FloatVector d = take(x, i).sub(m).mul(r).fma(alongXhat, v.sub(along)).mul(r);
            put(pullBack ? d : d.mul(take(gamma, i)), y, i);
        }
    }
}
