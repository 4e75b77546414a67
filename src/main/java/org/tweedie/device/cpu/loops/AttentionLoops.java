// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.cpu.loops.AttentionBlocks.Block;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Type;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.DotProductAttentionVjp;

/**
 * Computes attention, its pull-back and its push-forward, one block of queries at a time. Products run in oneDNN, the operations
 * between them on rows in Java. The derivatives recompute the weights p = exp(s scale - lse).
 *
 * <p>In BF16, scores are F32 until a product reads them, and sums over blocks of queries are F32 until the last block is added.
 */
public final class AttentionLoops {
    private static final long GRAIN = 1 << 14;

    private final Primitives primitives;
    private final Parallel parallel;
    private final AttentionBlocks at;
    private final Map<String, Primitives.Descriptor> descriptors = new HashMap<>();
    private final List<Block> blocks;
    private final long scores; // the bytes of one buffer of scores

    private AttentionLoops(Primitives primitives, Parallel parallel, DType real, DotProductAttention op, List<Type> in) {
        this.primitives = primitives;
        this.parallel = parallel;
        this.at = new AttentionBlocks(real, op, in.get(0).shape(), in.get(1).shape());
        this.blocks = at.blocks();
        this.scores = Native.roundUp(4 * at.scores());
    }

    // ---- products ----------------------------------------------------------------------------------------------

    private enum Product {
        /** The product rows(q) columns(k), which gives scores. */
        SCORES,
        /** The product scores rows(k), which gives one row per query. */
        MIX,
        /** The product scores^T rows(q), which gives one row per key. */
        COLLECT
    }

    private Primitives.Descriptor descriptor(Product what, Block b, boolean accumulate) {
        return descriptors.computeIfAbsent(what + " " + b.queries() + " " + accumulate, k -> switch (what) {
            case SCORES -> primitives.matmul(at.rows(primitives, b, false), at.columns(primitives, b), 0,
                    at.scores(primitives, b), accumulate);
            case MIX -> primitives.matmul(at.factor(primitives, b), at.rows(primitives, b, true), 0,
                    at.rows(primitives, b, false), accumulate);
            case COLLECT -> primitives.matmul(at.factorTransposed(primitives, b), at.rows(primitives, b, false), 0,
                    at.rows(primitives, collected(), b, true), accumulate);
        });
    }

    private long scratch(Product what, boolean accumulate) {
        return blocks.stream().mapToLong(b -> descriptor(what, b, accumulate).scratch()).max().orElseThrow();
    }

    /** Returns the product of the given kind on the addresses of its left operand, right operand and result. */
    private Runnable product(Product what, Block b, boolean accumulate, long scratch, long left, long right, long result) {
        Primitives p = primitives;
        long l = p.memory(what == Product.SCORES ? at.rows(p, b, false) : what == Product.MIX ? at.factor(p, b)
                : at.factorTransposed(p, b), left);
        long r = p.memory(what == Product.SCORES ? at.columns(p, b) : at.rows(p, b, what == Product.MIX), right);
        long o = p.memory(what == Product.SCORES ? at.scores(p, b) : what == Product.MIX ? at.rows(p, b, false)
                : at.rows(p, collected(), b, true), result);
        return p.prepare(descriptor(what, b, accumulate), scratch, Primitives.SRC, l, Primitives.WEIGHTS, r, Primitives.DST, o);
    }

    /** Returns the type in which products are collected: F32 where several blocks of queries are added. */
    private DType collected() {
        return blocks.stream().anyMatch(b -> b.i() > 0) ? DType.F32 : at.real;
    }

    private interface Row {
        void run(int r, long temp);
    }

    /** Makes a row of scores, which is complete, the factor of a product. */
    private void finish(long s) {
        if (at.real == DType.BF16) {
            Brain.narrow(s, s, at.stride);
        }
    }

    private Runnable rows(Block b, Row row) {
        int chunks = Parallel.chunks((long) b.rows() * at.stride, GRAIN);
        return () -> parallel.run(chunks, (k, temp) -> {
            int end = (int) Parallel.from(k + 1, chunks, b.rows(), 1);
            for (int r = (int) Parallel.from(k, chunks, b.rows(), 1); r < end; r++) {
                row.run(r, temp);
            }
        });
    }

    // ---- forward -----------------------------------------------------------------------------------------------

    /** @param real the type of the operands and of all results but lse, which is F32 */
    public static CpuKernel forward(Primitives primitives, Parallel parallel, DType real, DotProductAttention op,
            List<Type> in) {
        AttentionLoops a = new AttentionLoops(primitives, parallel, real, op, in);
        long scratch = Math.max(a.scratch(Product.SCORES, false), a.scratch(Product.MIX, false));
        return new CpuKernel(a.scores + scratch, p -> {
            long s = p.scratch();
            long work = s + a.scores;
            long lse = p.out(1);
            List<Runnable> steps = new ArrayList<>();
            for (Block b : a.blocks) {
                steps.add(a.product(Product.SCORES, b, false, work, a.at.query(p.in(0), b), a.at.key(p.in(1), b), s));
                steps.add(a.rows(b, (r, temp) -> a.softmax(b, r, s + 4L * r * a.at.stride, lse)));
                steps.add(a.product(Product.MIX, b, false, work, s, a.at.key(p.in(2), b), a.at.query(p.out(0), b)));
            }
            return Conversions.all(steps);
        });
    }

    private void softmax(Block b, int r, long s, long lse) {
        hide(s, b, r);
        double log = Strips.softmax(s, at.scale, s, at.stride, 0);
        VectorMath.set(lse + 4 * at.row(b, r), (float) log);
        finish(s);
    }

    /** Sets the scores of keys that are not seen, and the padding of the row, to -infinity, so that their weights are 0. */
    private void hide(long s, Block b, int r) {
        int visible = at.visible(b, r);
        Strips.fill(s + 4L * visible, Float.NEGATIVE_INFINITY, at.stride - visible);
    }

    // ---- pull-back ---------------------------------------------------------------------------------------------

    /** @param real the type of all operands but lse, and of the results */
    public static CpuKernel vjp(Primitives primitives, Parallel parallel, DType real, DotProductAttentionVjp op, List<Type> in) {
        AttentionLoops a = new AttentionLoops(primitives, parallel, real, op.of(), in);
        long scratch = Math.max(a.scratch(Product.SCORES, false), a.scratch(Product.MIX, false));
        if (op.keys()) {
            scratch = Math.max(scratch, Math.max(a.scratch(Product.COLLECT, false), a.scratch(Product.COLLECT, true)));
        }
        boolean apart = op.keys() && a.collected() != real; // where the sums over blocks of queries have working memory
        long sums = apart ? Native.roundUp(4L * a.at.samples * a.at.m * a.at.c) : 0;
        return new CpuKernel(2 * a.scores + 2 * sums + scratch, p -> {
            long s = p.scratch();
            long ds = s + a.scores;
            long dk = apart ? ds + a.scores : op.keys() ? p.out(1) : 0;
            long dv = apart ? dk + sums : op.keys() ? p.out(2) : 0;
            long work = ds + a.scores + 2 * sums;
            long o = p.in(3);
            long lse = p.in(4);
            long cotangent = p.in(5);
            List<Runnable> steps = new ArrayList<>();
            for (Block b : a.blocks) {
                long row = 4L * a.at.stride;
                steps.add(a.product(Product.SCORES, b, false, work, a.at.query(p.in(0), b), a.at.key(p.in(1), b), s));
                steps.add(a.product(Product.SCORES, b, false, work, a.at.query(cotangent, b), a.at.key(p.in(2), b), ds));
                steps.add(a.rows(b, (r, temp) -> a.pullBack(b, r, s + r * row, ds + r * row, o, cotangent, lse, temp)));
                steps.add(a.product(Product.MIX, b, false, work, ds, a.at.key(p.in(1), b), a.at.query(p.out(0), b)));
                if (op.keys()) {
                    DType t = a.collected();
                    steps.add(a.product(Product.COLLECT, b, b.i() > 0, work, ds, a.at.query(p.in(0), b), a.at.key(dk, t, b)));
                    steps.add(a.product(Product.COLLECT, b, b.i() > 0, work, s, a.at.query(cotangent, b), a.at.key(dv, t, b)));
                }
            }
            if (apart) {
                long n = in.get(1).shape().size();
                steps.add(() -> Brain.cast(parallel, dk, DType.F32, p.out(1), n));
                steps.add(() -> Brain.cast(parallel, dv, DType.F32, p.out(2), n));
            }
            return Conversions.all(steps);
        });
    }

    /** Replaces the scores in s by the weights p, and the cotangents of p in ds by p (dp - o.do) scale. */
    private void pullBack(Block b, int r, long s, long ds, long o, long cotangent, long lse, long temp) {
        weights(b, r, s, lse);
        long half = temp + Parallel.TEMP / 2;
        double delta = Strips.dot(Brain.wide(at.real, at.queryRow(o, b, r), temp, at.d),
                Brain.wide(at.real, at.queryRow(cotangent, b, r), half, at.d), at.d);
        Strips.project(ds, (float) delta, s, at.scale, ds, at.m);
        finish(s);
        finish(ds);
    }

    /** Computes p = exp(s scale - lse). */
    private void weights(Block b, int r, long s, long lse) {
        hide(s, b, r);
        Strips.exp(s, at.scale, -VectorMath.get(lse + 4 * at.row(b, r)), 89f, s, at.stride);
    }

    // ---- push-forward ------------------------------------------------------------------------------------------

    /** @param real the type of all operands but lse, and of the result */
    public static CpuKernel jvp(Primitives primitives, Parallel parallel, DType real, DotProductAttentionJvp op, List<Type> in) {
        AttentionLoops a = new AttentionLoops(primitives, parallel, real, op.of(), in);
        long scratch = Math.max(a.scratch(Product.SCORES, false), a.scratch(Product.MIX, false));
        if (op.keys()) {
            scratch = Math.max(scratch, Math.max(a.scratch(Product.SCORES, true), a.scratch(Product.MIX, true)));
        }
        return new CpuKernel(2 * a.scores + scratch, p -> {
            long s = p.scratch();
            long ts = s + a.scores;
            long work = ts + a.scores;
            long lse = p.in(4);
            List<Runnable> steps = new ArrayList<>();
            for (Block b : a.blocks) {
                long row = 4L * a.at.stride;
                steps.add(a.product(Product.SCORES, b, false, work, a.at.query(p.in(0), b), a.at.key(p.in(1), b), s));
                steps.add(a.product(Product.SCORES, b, false, work, a.at.query(p.in(5), b), a.at.key(p.in(1), b), ts));
                if (op.keys()) {
                    steps.add(a.product(Product.SCORES, b, true, work, a.at.query(p.in(0), b), a.at.key(p.in(6), b), ts));
                }
                steps.add(a.rows(b, (r, temp) -> a.pushForward(b, r, s + r * row, ts + r * row, lse)));
                steps.add(a.product(Product.MIX, b, false, work, ts, a.at.key(p.in(2), b), a.at.query(p.out(0), b)));
                if (op.keys()) {
                    steps.add(a.product(Product.MIX, b, true, work, s, a.at.key(p.in(7), b), a.at.query(p.out(0), b)));
                }
            }
            return Conversions.all(steps);
        });
    }

    /** Replaces the scores in s by the weights p, and the tangents of the scores in ts by p (t - p.t), where t = ts scale. */
    private void pushForward(Block b, int r, long s, long ts, long lse) {
        weights(b, r, s, lse);
        Strips.project(ts, (float) Strips.dot(s, ts, at.m), s, at.scale, ts, at.m);
        finish(s);
        finish(ts);
    }
}
