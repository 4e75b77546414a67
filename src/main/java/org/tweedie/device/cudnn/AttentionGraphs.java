// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.program.DType;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;

/**
 * Attention as the graphs that cuDNN knows as one fused kernel: it looks for exactly these operations in this order (cudnn-frontend,
 * scaled_dot_product_flash_attention.h and softmax.h, show which). Heads lie interleaved in [B,T,heads*d]: strides say so.
 */
final class AttentionGraphs {
    private final Graph g;
    private final long b;
    private final long heads;
    private final long t;
    private final long s;
    private final long d;
    private final DType stored;
    private final float scale;

    private AttentionGraphs(Graph g, DotProductAttention op, Buffer q, Buffer k) {
        this.g = g;
        this.b = q.shape().dim(0);
        this.heads = op.heads();
        this.t = q.shape().dim(1);
        this.s = k.shape().dim(1);
        this.d = q.shape().dim(2) / heads;
        this.stored = q.dtype();
        this.scale = (float) op.scale(q.shape().dim(2));
    }

    /** q, k, v to o and lse. */
    static void forward(Graph g, DotProductAttention op, LibraryCall call) {
        new AttentionGraphs(g, op, call.in().get(0), call.in().get(1)).forward();
    }

    /** q, k, v, o, lse, do to dq and, where they are wanted, dk and dv; where not, these go to working memory, since cuDNN makes all three at once. */
    static void backward(Graph g, DotProductAttentionVjp op, LibraryCall call) {
        new AttentionGraphs(g, op.of(), call.in().get(0), call.in().get(1)).backward(op.keys());
    }

    private void forward() {
        Graph.Tensor scores = scores(rows(new Place.In(0), t), columns(new Place.In(1)));
        Graph.Tensor max = g.reduction(Graph.Reduction.MAX, scores, sum(new Place.Virtual()));
        Graph.Tensor e = g.pointwise(Graph.Pointwise.SUB, scores, max, g.like(scores));
        e = g.pointwise(Graph.Pointwise.EXP, e, null, g.like(scores));
        Graph.Tensor total = g.reduction(Graph.Reduction.ADD, e, sum(new Place.Virtual()));
        Graph.Tensor log = g.pointwise(Graph.Pointwise.LOG, total, null, sum(new Place.Virtual()));
        g.pointwise(Graph.Pointwise.ADD, max, log, sum(new Place.Out(1)));
        Graph.Tensor p = g.pointwise(Graph.Pointwise.DIV, e, total, weights(stored));
        g.matmul(p, rows(new Place.In(2), s), rows(new Place.Out(0), t));
    }

    private void backward(boolean keys) {
        Graph.Tensor q = rows(new Place.In(0), t);
        Graph.Tensor k = columns(new Place.In(1));
        Graph.Tensor dO = rows(new Place.In(5), t);
        Graph.Tensor one = g.scalar(1); // the place of dropout's scale, which the pattern wants
        Graph.Tensor delta = g.pointwise(Graph.Pointwise.MUL, dO, rows(new Place.In(3), t), packed(t, d));
        delta = g.reduction(Graph.Reduction.ADD, delta, sum(new Place.Virtual()));
        delta = g.pointwise(Graph.Pointwise.MUL, delta, one, g.scratch(DType.F32, new long[] {b, heads, t, 1}, heads * t, t, 1, 1));

        Graph.Tensor a = g.scalar(scale);
        Graph.Tensor p = g.pointwise(Graph.Pointwise.MUL, g.matmul(q, k, weights(DType.F32)), a, weights(DType.F32));
        p = g.pointwise(Graph.Pointwise.SUB, p, sum(new Place.In(4)), weights(DType.F32));
        p = g.pointwise(Graph.Pointwise.EXP, p, null, weights(DType.F32));
        g.matmul(g.reshape(p, turned()), dO, result(keys, 2));

        Graph.Tensor ds = g.matmul(dO, columns(new Place.In(2)), weights(DType.F32));
        ds = g.pointwise(Graph.Pointwise.SUB, ds, delta, weights(DType.F32));
        ds = g.pointwise(Graph.Pointwise.MUL, ds, p, weights(DType.F32));
        ds = g.pointwise(Graph.Pointwise.MUL, ds, a, weights(DType.F32));
        g.matmul(g.reshape(ds, turned()), q, result(keys, 1));
        Graph.Tensor kRows = g.reshape(k, g.tensor(new Place.Virtual(), stored, new long[] {b, heads, s, d}, s * heads * d, d, heads * d, 1));
        g.matmul(ds, kRows, rows(new Place.Out(0), t)); // dq whole, not summed up by atomics: the same bytes in every run
    }

    private Graph.Tensor scores(Graph.Tensor q, Graph.Tensor k) {
        return g.pointwise(Graph.Pointwise.MUL, g.matmul(q, k, weights(DType.F32)), g.scalar(scale), weights(DType.F32));
    }

    /** [B,heads,n,d] of [B,n,heads*d]. */
    private Graph.Tensor rows(Place place, long n) {
        return g.tensor(place, stored, new long[] {b, heads, n, d}, n * heads * d, d, heads * d, 1);
    }

    /** [B,heads,d,S] of [B,S,heads*d]. */
    private Graph.Tensor columns(Place place) {
        return g.tensor(place, stored, new long[] {b, heads, d, s}, s * heads * d, d, 1, heads * d);
    }

    /** A virtual [B,heads,n,m] of F32. */
    private Graph.Tensor packed(long n, long m) {
        return g.tensor(new Place.Virtual(), DType.F32, new long[] {b, heads, n, m}, heads * n * m, n * m, m, 1);
    }

    /** A virtual [B,heads,T,S]. */
    private Graph.Tensor weights(DType dtype) {
        return g.tensor(new Place.Virtual(), dtype, new long[] {b, heads, t, s}, heads * t * s, t * s, s, 1);
    }

    /** A virtual [B,heads,S,T], {@link #weights} with its axes exchanged. */
    private Graph.Tensor turned() {
        return g.tensor(new Place.Virtual(), stored, new long[] {b, heads, s, t}, heads * t * s, t * s, 1, s);
    }

    /** [B,heads,T,1] of [B,heads,T], in F32. */
    private Graph.Tensor sum(Place place) {
        return g.tensor(place, DType.F32, new long[] {b, heads, t, 1}, heads * t, t, 1, 1);
    }

    /** dk or dv. */
    private Graph.Tensor result(boolean wanted, int number) {
        return wanted ? rows(new Place.Out(number), s)
                : g.scratch(stored, new long[] {b, heads, s, d}, s * heads * d, d, heads * d, 1);
    }
}
