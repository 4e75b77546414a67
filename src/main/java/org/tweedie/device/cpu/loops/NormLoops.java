// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.VectorMath.L;
import static org.tweedie.device.cpu.loops.VectorMath.all;
import static org.tweedie.device.cpu.loops.VectorMath.load;
import static org.tweedie.device.cpu.loops.VectorMath.store;

import jdk.incubator.vector.FloatVector;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.GroupNormalization;

/**
 * Computes group norm, its pull-back and its push-forward on x [B,P,C]. Each reads x once for the statistics and once more to
 * write the result; the derivatives read it once more between, for their two sums. The places of a sample are cut into blocks
 * that stay in the cache and are divided among threads; the sums of the blocks are added in double in a fixed order.
 *
 * <p>x, its tangent or cotangent and the result may be in BF16. A strip of a block is then widened into working memory before
 * each use, and everything after that is F32, statistics and tables included.
 *
 * <p>Vectors run along the channels. Values that all channels of a group share are repeated for each channel in tables, which are
 * rows of C floats.
 */
public final class NormLoops {
    /** The most elements of a block. */
    private static final int BLOCK = 1 << 14;
    /** The most places of a block, few enough for F32 sums. */
    private static final int PLACES = 128;
    /** The number of tables of a sample: mean, r, gamma, beta and, for the derivatives, the two projections. */
    private static final int TABLES = 6;

    private static final int MEAN = 0;
    private static final int R = 1;
    private static final int GAMMA = 2;
    private static final int BETA = 3;
    private static final int ALONG = 4; // mean of v
    private static final int ALONG_XHAT = 5; // mean of xhat v

    private enum Form { FORWARD, VJP, JVP }

    private final Parallel parallel;
    private final DType real;
    private final int width; // the bytes of an element of x, t and y
    private final GroupNormalization op;
    private final Form form;
    private final int samples;
    private final long places;
    private final int channels;
    private final int blocks; // the number of blocks of a sample
    private final int step; // the bytes of a table

    private NormLoops(Parallel parallel, DType real, GroupNormalization op, Form form, Shape x) {
        this.parallel = parallel;
        this.real = real;
        this.width = real.bytes();
        this.op = op;
        this.form = form;
        this.samples = x.dim(0);
        this.channels = x.dim(-1);
        this.places = x.size() / samples / channels;
        this.blocks = Parallel.chunks(places, Math.clamp(BLOCK / channels, 1, PLACES));
        this.step = (int) Native.roundUp(4L * channels);
    }

    /** @param real the type of x, of its tangent or cotangent, and of the result, here and below; all else is F32 */
    public static CpuKernel forward(Parallel parallel, DType real, GroupNormalization op, Shape x) {
        return LayerNormLoops.fits(op, x) ? LayerNormLoops.forward(parallel, real, op, x)
                : new NormLoops(parallel, real, op, Form.FORWARD, x).kernel();
    }

    public static CpuKernel vjp(Parallel parallel, DType real, GroupNormalization op, Shape x) {
        return LayerNormLoops.fits(op, x) ? LayerNormLoops.derivative(parallel, real, op, x, true)
                : new NormLoops(parallel, real, op, Form.VJP, x).kernel();
    }

    public static CpuKernel jvp(Parallel parallel, DType real, GroupNormalization op, Shape x) {
        return LayerNormLoops.fits(op, x) ? LayerNormLoops.derivative(parallel, real, op, x, false)
                : new NormLoops(parallel, real, op, Form.JVP, x).kernel();
    }

    /** Returns the kernel. Its working memory holds the tables of each sample, then two sums per channel and block. */
    private CpuKernel kernel() {
        long tables = (long) samples * TABLES * step;
        return new CpuKernel(tables + 2L * samples * blocks * step, p -> {
            long x = p.in(0);
            long gamma = p.in(1);
            long beta = p.in(2);
            long t = form == Form.FORWARD ? 0 : p.in(3);
            long y = p.out(0);
            long table = p.scratch();
            long sums = table + tables;
            return () -> {
                parallel.run(samples * blocks, (k, temp) -> moments(at(x, k), count(k), sum(sums, k, 0), sum(sums, k, 1),
                        temp));
                for (int b = 0; b < samples; b++) {
                    statistics(b, sums, table(table, b, 0), gamma, beta);
                }
                if (form != Form.FORWARD) {
                    parallel.run(samples * blocks, (k, temp) -> project(at(x, k), at(t, k), count(k), table(table, k / blocks, 0),
                            sum(sums, k, 0), sum(sums, k, 1), temp));
                    for (int b = 0; b < samples; b++) {
                        projections(b, sums, table(table, b, 0));
                    }
                }
                parallel.run(samples * blocks, (k, temp) -> write(at(x, k), form == Form.FORWARD ? 0 : at(t, k), at(y, k),
                        count(k),
                        table(table, k / blocks, 0), temp));
            };
        });
    }

    private long first(int k) {
        return Parallel.from(k % blocks, blocks, places, 1);
    }

    private int count(int k) {
        return (int) (Parallel.from(k % blocks + 1, blocks, places, 1) - first(k));
    }

    private long at(long base, int k) {
        return base + width * (k / blocks * places + first(k)) * channels;
    }

    private long table(long base, int sample, int which) {
        return base + ((long) sample * TABLES + which) * step;
    }

    private long sum(long base, int k, int which) {
        return base + (2L * k + which) * step;
    }

    // ---- a block, a strip of L channels at a time --------------------------------------------------------------

    /** Computes, per channel, the mean over the block's n places, and the sum of squared distances from it. */
    private void moments(long x, int n, long mean, long squares, long temp) {
        long row = row();
        for (int c = 0; c < channels; c += L) {
            long strip = strip(x + (long) width * c, n, temp);
            FloatVector m = Columns.sum(strip, row, n).mul(1f / n);
            store(m, mean + 4L * c);
            store(Columns.squares(strip, row, n, m), squares + 4L * c);
        }
    }

    /** Returns the address of a strip in F32: its own, or that of its copy in working memory. */
    private long strip(long x, int n, long temp) {
        if (real == DType.F32) {
            return x;
        }
        Brain.widenColumns(x, 2L * channels, n, temp);
        return temp;
    }

    /** Returns the bytes from a row of a strip in F32 to the next. */
    private long row() {
        return real == DType.F32 ? 4L * channels : ROW;
    }

    /** Computes, per channel, the sums over the block of v and of xhat v. */
    private void project(long x, long t, int n, long table, long sumV, long sumXhatV, long temp) {
        for (int c = 0; c < channels; c += L) {
            long o = 4L * c;
            direction(x + (long) width * c, t + (long) width * c, n, table + o, temp);
            store(Columns.sum(v(temp), ROW, n), sumV + o);
            store(Columns.dot(temp, v(temp), n), sumXhatV + o);
        }
    }

    /** The bytes of a row of a strip in working memory, where xhat is first, then v, then two more, then x or t from BF16. */
    private static final long ROW = 4L * L;

    private static long v(long temp) {
        return temp + PLACES * ROW;
    }

    private static long u(long temp) {
        return temp + 2 * PLACES * ROW;
    }

    private static long e(long temp) {
        return temp + 3 * PLACES * ROW;
    }

    private static long wide(long temp) {
        return temp + 4 * PLACES * ROW;
    }

    /** Computes xhat and v, where v = gamma act'(u) dy for the pull-back and v = tx for the push-forward. */
    private void direction(long x, long t, int n, long table, long temp) {
        Columns.normalise(strip(x, n, wide(temp)), row(), n, load(table + MEAN * step), load(table + R * step), all(0), temp);
        FloatVector one = all(1);
        Columns.normalise(strip(t, n, wide(temp)), row(), n, all(0), form == Form.VJP ? load(table + GAMMA * step) : one, all(0),
                v(temp));
        if (form == Form.VJP && op.silu()) {
            slope(x, n, table, temp);
            Strips.mul(v(temp), u(temp), v(temp), n * L);
        }
    }

    /** Replaces u = gamma xhat + beta by the slope of SiLU at u. */
    private void slope(long x, int n, long table, long temp) {
        outer(x, n, table, u(temp), temp);
        Strips.exp(u(temp), -1, 0, 88f, e(temp), n * L);
        Strips.siluSlope(u(temp), 1, e(temp), u(temp), n * L);
    }

    /** Computes u = gamma xhat + beta. */
    private void outer(long x, int n, long table, long u, long temp) {
        FloatVector scale = load(table + R * step).mul(load(table + GAMMA * step));
        Columns.normalise(strip(x, n, wide(temp)), row(), n, load(table + MEAN * step), scale, load(table + BETA * step), u);
    }

    private void write(long x, long t, long y, int n, long table, long temp) {
        for (int c = 0; c < channels; c += L) {
            long o = 4L * c;
            long at = (long) width * c;
            if (form == Form.FORWARD) {
                outer(x + at, n, table + o, v(temp), temp);
                if (op.silu()) {
                    Strips.exp(v(temp), -1, 0, 89f, e(temp), n * L);
                    Strips.silu(v(temp), e(temp), v(temp), n * L);
                }
            } else {
                derivative(x + at, t + at, n, table + o, temp);
            }
            if (real == DType.F32) {
                Columns.scatter(v(temp), y + at, 4L * channels, n, Math.min(L, channels - c));
            } else {
                Brain.narrowColumns(v(temp), y + at, 2L * channels, n, Math.min(L, channels - c));
            }
        }
    }

    private void derivative(long x, long t, int n, long table, long temp) {
        direction(x, t, n, table, temp);
        FloatVector r = load(table + R * step);
        Columns.project(temp, v(temp), n, load(table + ALONG * step), load(table + ALONG_XHAT * step),
                form == Form.VJP ? r : r.mul(load(table + GAMMA * step)));
        if (form == Form.JVP && op.silu()) {
            slope(x, n, table, temp);
            Strips.mul(v(temp), u(temp), v(temp), n * L);
        }
    }

    // ---- sums over blocks and the channels of a group, in double -----------------------------------------------

    /** Combines means and squares of blocks and channels (Chan, Golub and LeVeque, 1979) and writes the sample's tables. */
    private void statistics(int sample, long sums, long table, long gamma, long beta) {
        int perGroup = channels / op.groups();
        for (int g = 0; g < op.groups(); g++) {
            double mean = 0;
            for (int k = sample * blocks; k < (sample + 1) * blocks; k++) {
                mean += count(k) * total(sum(sums, k, 0), g * perGroup, perGroup);
            }
            mean /= (double) places * perGroup;
            double squares = 0;
            for (int k = sample * blocks; k < (sample + 1) * blocks; k++) {
                for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
                    double d = VectorMath.get(sum(sums, k, 0) + 4L * c) - mean;
                    squares += VectorMath.get(sum(sums, k, 1) + 4L * c) + count(k) * d * d;
                }
            }
            double r = 1 / Math.sqrt(squares / ((double) places * perGroup) + op.eps());
            for (long c = g * perGroup; c < (g + 1L) * perGroup; c++) {
                VectorMath.set(table + MEAN * step + 4 * c, (float) mean);
                VectorMath.set(table + R * step + 4 * c, (float) r);
                VectorMath.set(table + GAMMA * step + 4 * c, VectorMath.get(gamma + 4 * c));
                VectorMath.set(table + BETA * step + 4 * c, VectorMath.get(beta + 4 * c));
            }
        }
    }

    private void projections(int sample, long sums, long table) {
        int perGroup = channels / op.groups();
        for (int g = 0; g < op.groups(); g++) {
            for (int which = 0; which < 2; which++) {
                double s = 0;
                for (int k = sample * blocks; k < (sample + 1) * blocks; k++) {
                    s += total(sum(sums, k, which), g * perGroup, perGroup);
                }
                float mean = (float) (s / ((double) places * perGroup));
                for (long c = g * perGroup; c < (g + 1L) * perGroup; c++) {
                    VectorMath.set(table + (which == 0 ? ALONG : ALONG_XHAT) * step + 4 * c, mean);
                }
            }
        }
    }

    private static double total(long x, int from, int n) {
        double s = 0;
        for (long c = from; c < from + n; c++) {
            s += VectorMath.get(x + 4 * c);
        }
        return s;
    }
}
