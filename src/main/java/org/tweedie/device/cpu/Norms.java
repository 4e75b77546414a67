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

/**
 * Group norm, its pull-back and its push-forward on x [B,P,C]. Each reads x once for the statistics and once more to write; the derivatives
 * once between, for their two sums. The places of a sample are cut into blocks that stay in the cache and are dealt to threads; what blocks
 * sum is joined in double in a fixed order.
 *
 * <p>Vectors run along the channels. What a group has in common is spread over its channels in tables: rows of C floats.
 */
final class Norms {
    /** Elements of a block, at most; also at most 256 places, so that F32 sums stay exact enough. */
    private static final int BLOCK = 1 << 14;
    /** Tables of C floats a sample: mean, r, gamma, beta and, for the derivatives, the two projections. */
    private static final int TABLES = 6;

    private static final int MEAN = 0;
    private static final int R = 1;
    private static final int GAMMA = 2;
    private static final int BETA = 3;
    private static final int ALONG = 4; // mean(v)
    private static final int ALONG_XHAT = 5; // mean(xhat v)

    private enum Form { FORWARD, VJP, JVP }

    private final Parallel parallel;
    private final GroupNorm op;
    private final Form form;
    private final int samples;
    private final long places;
    private final int channels;
    private final int blocks; // of a sample
    private final int step; // bytes of a table

    private Norms(Parallel parallel, GroupNorm op, Form form, Shape x) {
        this.parallel = parallel;
        this.op = op;
        this.form = form;
        this.samples = x.dim(0);
        this.channels = x.dim(-1);
        this.places = x.size() / samples / channels;
        this.blocks = Parallel.chunks(places, Math.clamp(BLOCK / channels, 1, 256));
        this.step = (int) Native.roundUp(4L * channels);
    }

    static Kernel forward(Parallel parallel, GroupNorm op, Shape x) {
        return op.groups() == 1 && !op.silu() && x.size() == (long) x.dim(0) * x.dim(-1)
                ? LayerNorms.forward(parallel, op, x) : new Norms(parallel, op, Form.FORWARD, x).kernel();
    }

    static Kernel vjp(Parallel parallel, GroupNorm op, Shape x) {
        return op.groups() == 1 && !op.silu() && x.size() == (long) x.dim(0) * x.dim(-1)
                ? LayerNorms.derivative(parallel, op, x, true) : new Norms(parallel, op, Form.VJP, x).kernel();
    }

    static Kernel jvp(Parallel parallel, GroupNorm op, Shape x) {
        return op.groups() == 1 && !op.silu() && x.size() == (long) x.dim(0) * x.dim(-1)
                ? LayerNorms.derivative(parallel, op, x, false) : new Norms(parallel, op, Form.JVP, x).kernel();
    }

    /** Working memory: tables of each sample, then two sums per channel and block. */
    private Kernel kernel() {
        long tables = (long) samples * TABLES * step;
        return new Kernel(tables + 2L * samples * blocks * step, p -> {
            long x = p.in(0);
            long gamma = p.in(1);
            long beta = p.in(2);
            long t = form == Form.FORWARD ? 0 : p.in(3);
            long y = p.out(0);
            long table = p.scratch();
            long sums = table + tables;
            return () -> {
                parallel.run(samples * blocks, k -> moments(at(x, k), count(k), sum(sums, k, 0), sum(sums, k, 1)));
                for (int b = 0; b < samples; b++) {
                    statistics(b, sums, table(table, b, 0), gamma, beta);
                }
                if (form != Form.FORWARD) {
                    parallel.run(samples * blocks, k -> project(at(x, k), at(t, k), count(k), table(table, k / blocks, 0),
                            sum(sums, k, 0), sum(sums, k, 1)));
                    for (int b = 0; b < samples; b++) {
                        projections(b, sums, table(table, b, 0));
                    }
                }
                parallel.run(samples * blocks, k -> write(at(x, k), form == Form.FORWARD ? 0 : at(t, k), at(y, k), count(k),
                        table(table, k / blocks, 0)));
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
        return base + 4 * (k / blocks * places + first(k)) * channels;
    }

    private long table(long base, int sample, int which) {
        return base + ((long) sample * TABLES + which) * step;
    }

    private long sum(long base, int k, int which) {
        return base + (2L * k + which) * step;
    }

    // ---- sums over a block -------------------------------------------------------------------------------------

    private FloatVector take(long address, int width) {
        return width == L ? load(address) : load(address, S.indexInRange(0, width));
    }

    private static void put(FloatVector v, long address, int width) {
        if (width == L) {
            store(v, address);
        } else {
            VectorMask<Float> m = S.indexInRange(0, width);
            store(v, address, m);
        }
    }

    /** Per channel: the mean over the block's n places, and the sum of squared distances from it. */
    private void moments(long x, int n, long mean, long squares) {
        long row = 4L * channels;
        float share = 1f / n;
        for (int c = 0; c < channels; c += L) {
            int width = Math.min(L, channels - c);
            FloatVector s = all(0);
            for (int i = 0; i < n; i++) {
                s = s.add(take(x + i * row + 4L * c, width));
            }
            FloatVector m = s.mul(share);
            FloatVector q = all(0);
            for (int i = 0; i < n; i++) {
                FloatVector d = take(x + i * row + 4L * c, width).sub(m);
                q = d.fma(d, q);
            }
            put(m, mean + 4L * c, width);
            put(q, squares + 4L * c, width);
        }
    }

    /** Per channel: the sums over the block of v and of xhat v, with v = gamma act'(u) dy for the pull-back, v = tx for the push-forward. */
    private void project(long x, long t, int n, long table, long sumV, long sumXhatV) {
        long row = 4L * channels;
        for (int c = 0; c < channels; c += L) {
            int width = Math.min(L, channels - c);
            long o = 4L * c;
            FloatVector mean = load(table + MEAN * step + o);
            FloatVector r = load(table + R * step + o);
            FloatVector gamma = load(table + GAMMA * step + o);
            FloatVector beta = load(table + BETA * step + o);
            FloatVector s = all(0);
            FloatVector q = all(0);
            for (int i = 0; i < n; i++) {
                FloatVector xhat = take(x + i * row + o, width).sub(mean).mul(r);
                FloatVector v = take(t + i * row + o, width);
                if (form == Form.VJP) {
                    v = v.mul(gamma);
                    v = op.silu() ? v.mul(VectorMath.siluSlope(xhat.fma(gamma, beta))) : v;
                }
                s = s.add(v);
                q = xhat.fma(v, q);
            }
            put(s, sumV + o, width);
            put(q, sumXhatV + o, width);
        }
    }

    private void write(long x, long t, long y, int n, long table) {
        long row = 4L * channels;
        for (int c = 0; c < channels; c += L) {
            int width = Math.min(L, channels - c);
            long o = 4L * c;
            switch (form) {
                case FORWARD -> forward(x + o, y + o, n, row, width, table + o);
                case VJP -> vjp(x + o, t + o, y + o, n, row, width, table + o);
                case JVP -> jvp(x + o, t + o, y + o, n, row, width, table + o);
            }
        }
    }

    private void forward(long x, long y, int n, long row, int width, long table) {
        FloatVector mean = load(table + MEAN * step);
        FloatVector scale = load(table + R * step).mul(load(table + GAMMA * step));
        FloatVector beta = load(table + BETA * step);
        if (op.silu()) {
            for (int i = 0; i < n; i++) {
                put(VectorMath.silu(take(x + i * row, width).sub(mean).fma(scale, beta)), y + i * row, width);
            }
        } else {
            for (int i = 0; i < n; i++) {
                put(take(x + i * row, width).sub(mean).fma(scale, beta), y + i * row, width);
            }
        }
    }

    private void vjp(long x, long t, long y, int n, long row, int width, long table) {
        FloatVector mean = load(table + MEAN * step);
        FloatVector r = load(table + R * step);
        FloatVector gamma = load(table + GAMMA * step);
        FloatVector beta = load(table + BETA * step);
        FloatVector along = load(table + ALONG * step);
        FloatVector alongXhat = load(table + ALONG_XHAT * step).neg();
        for (int i = 0; i < n; i++) {
            FloatVector xhat = take(x + i * row, width).sub(mean).mul(r);
            FloatVector v = take(t + i * row, width).mul(gamma);
            v = op.silu() ? v.mul(VectorMath.siluSlope(xhat.fma(gamma, beta))) : v;
            put(xhat.fma(alongXhat, v.sub(along)).mul(r), y + i * row, width);
        }
    }

    private void jvp(long x, long t, long y, int n, long row, int width, long table) {
        FloatVector mean = load(table + MEAN * step);
        FloatVector r = load(table + R * step);
        FloatVector gamma = load(table + GAMMA * step);
        FloatVector beta = load(table + BETA * step);
        FloatVector along = load(table + ALONG * step);
        FloatVector alongXhat = load(table + ALONG_XHAT * step).neg();
        for (int i = 0; i < n; i++) {
            FloatVector xhat = take(x + i * row, width).sub(mean).mul(r);
            FloatVector v = xhat.fma(alongXhat, take(t + i * row, width).sub(along)).mul(r.mul(gamma));
            put(op.silu() ? v.mul(VectorMath.siluSlope(xhat.fma(gamma, beta))) : v, y + i * row, width);
        }
    }

    // ---- sums over blocks and the channels of a group, in double -----------------------------------------------

    /** Joins means and squares of blocks and channels (Chan, Golub and LeVeque, 1979) and writes the sample's tables. */
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
