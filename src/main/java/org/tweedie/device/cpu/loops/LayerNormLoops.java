// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.VectorMath.L;
import static org.tweedie.device.cpu.loops.VectorMath.all;
import static org.tweedie.device.cpu.loops.VectorMath.load;
import static org.tweedie.device.cpu.loops.VectorMath.store;

import jdk.incubator.vector.FloatVector;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.GroupNormalization;

/**
 * Computes group norm of one group at one place, which is layer norm, and its derivatives. It works row by row in the cache and
 * supports only rows of whole vectors.
 */
final class LayerNormLoops {
    private static final int GRAIN = 1 << 14;
    /** The longest row: three such rows fit into the working memory. */
    private static final int MAX = 8192;

    private LayerNormLoops() {}

    static boolean fits(GroupNormalization op, Shape x) {
        int c = x.dim(-1);
        return op.groups() == 1 && !op.silu() && x.size() == (long) x.dim(0) * c && c % L == 0 && c <= MAX;
    }

    static CpuKernel forward(Parallel parallel, DType real, GroupNormalization op, Shape x) {
        int c = x.dim(-1);
        int rows = x.dim(0);
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / c));
        boolean brain = real == DType.BF16;
        long row = (long) real.bytes() * c;
        return CpuKernel.of(p -> {
            long px = p.in(0);
            long gamma = p.in(1);
            long beta = p.in(2);
            long py = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long end = Parallel.from(k + 1, chunks, rows, 1);
                for (long r = Parallel.from(k, chunks, rows, 1); r < end; r++) {
                    normalise(Brain.wide(real, px + r * row, temp, c), c, op.eps(), temp);
                    mulAdd(temp, gamma, beta, brain ? temp : py + r * row, c);
                    if (brain) {
                        Brain.narrow(temp, py + r * row, c);
                    }
                }
            });
        });
    }

    /**
     * Returns the kernel of the pull-back (v = gamma dy, dx = r project(v)) or of the push-forward (v = tx, ty = gamma r
     * project(v)).
     */
    static CpuKernel derivative(Parallel parallel, DType real, GroupNormalization op, Shape x, boolean pullBack) {
        int c = x.dim(-1);
        int rows = x.dim(0);
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / c));
        boolean brain = real == DType.BF16;
        long row = (long) real.bytes() * c;
        return CpuKernel.of(p -> {
            long px = p.in(0);
            long gamma = p.in(1);
            long pt = p.in(3);
            long py = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long end = Parallel.from(k + 1, chunks, rows, 1);
                for (long i = Parallel.from(k, chunks, rows, 1); i < end; i++) {
                    long v = temp + 4L * c;
                    float r = normalise(Brain.wide(real, px + i * row, temp, c), c, op.eps(), temp);
                    long t = Brain.wide(real, pt + i * row, v, c);
                    if (pullBack) {
                        Strips.mul(t, gamma, v, c);
                    } else {
                        Strips.affine(t, 1, 0, v, c);
                    }
                    float along = (float) (Strips.sum(v, c) / c);
                    float alongXhat = (float) (Strips.dot(temp, v, c) / c);
                    long y = brain ? v : py + i * row;
                    project(temp, v, along, alongXhat, r, y, c);
                    if (!pullBack) {
                        Strips.mul(y, gamma, y, c);
                    }
                    if (brain) {
                        Brain.narrow(v, py + i * row, c);
                    }
                }
            });
        });
    }

    /** Computes xhat of a row and returns 1 / sqrt(var + eps). */
    private static float normalise(long x, int n, double eps, long xhat) {
        float mean = (float) (Strips.sum(x, n) / n);
        Strips.affine(x, 1, -mean, xhat, n);
        float r = (float) (1 / Math.sqrt(Strips.dot(xhat, xhat, n) / n + eps));
        Strips.affine(xhat, r, 0, xhat, n);
        return r;
    }

    private static void mulAdd(long x, long gamma, long beta, long y, int n) {
        for (int i = 0; i < n; i += L) {
            store(load(x + 4L * i).fma(load(gamma + 4L * i), load(beta + 4L * i)), y + 4L * i);
        }
    }

    /** Computes y = r (v - along - xhat alongXhat). */
    private static void project(long xhat, long v, float along, float alongXhat, float r, long y, int n) {
        FloatVector minus = all(-alongXhat);
        for (int i = 0; i < n; i += L) {
            store(load(xhat + 4L * i).fma(minus, load(v + 4L * i).sub(along)).mul(r), y + 4L * i);
        }
    }
}
