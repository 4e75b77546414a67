// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.graph;

import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.program.DType;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;

/**
 * Builds attention as the graphs that cuDNN recognises as one fused kernel. It looks for exactly these operations in this order
 * (scaled_dot_product_flash_attention.h and softmax.h of cudnn-frontend show which). Heads are interleaved in [B,T,heads*d],
 * which the strides express.
 */
public final class AttentionGraphs {
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

    /** Computes o and lse of q, k, v. */
    public static void forward(Graph g, DotProductAttention op, LibraryCall call) {
        new AttentionGraphs(g, op, call.in().get(0), call.in().get(1)).forward();
    }

    /**
     * Computes dq and, where they are wanted, dk and dv of q, k, v, o, lse, do. Where dk and dv are not wanted, they go to
     * working memory, since cuDNN computes all three at once.
     */
    public static void backward(Graph g, DotProductAttentionVjp op, LibraryCall call) {
        new AttentionGraphs(g, op.of(), call.in().get(0), call.in().get(1)).backward(op.keys());
    }

    private void forward() {
        Graph.Tensor scores = scores(rows(new TensorPlace.In(0), t), columns(new TensorPlace.In(1)));
        Graph.Tensor max = g.reduction(Graph.Reduction.MAX, scores, sum(new TensorPlace.Virtual()));
        Graph.Tensor e = g.pointwise(Graph.Pointwise.SUB, scores, max, g.like(scores));
        e = g.pointwise(Graph.Pointwise.EXP, e, null, g.like(scores));
        Graph.Tensor total = g.reduction(Graph.Reduction.ADD, e, sum(new TensorPlace.Virtual()));
        Graph.Tensor log = g.pointwise(Graph.Pointwise.LOG, total, null, sum(new TensorPlace.Virtual()));
        g.pointwise(Graph.Pointwise.ADD, max, log, sum(new TensorPlace.Out(1)));
        Graph.Tensor p = g.pointwise(Graph.Pointwise.DIV, e, total, weights(stored));
        g.matmul(p, rows(new TensorPlace.In(2), s), rows(new TensorPlace.Out(0), t));
    }

    private void backward(boolean keys) {
        Graph.Tensor q = rows(new TensorPlace.In(0), t);
        Graph.Tensor k = columns(new TensorPlace.In(1));
        Graph.Tensor dO = rows(new TensorPlace.In(5), t);
        Graph.Tensor one = g.scalar(1); // this operand stands where the pattern expects the scale of dropout
        Graph.Tensor delta = g.pointwise(Graph.Pointwise.MUL, dO, rows(new TensorPlace.In(3), t), packed(t, d));
        delta = g.reduction(Graph.Reduction.ADD, delta, sum(new TensorPlace.Virtual()));
        delta = g.pointwise(Graph.Pointwise.MUL, delta, one, g.scratch(DType.F32, new long[] {b, heads, t, 1}, heads * t, t, 1,
                1));

        Graph.Tensor a = g.scalar(scale);
        Graph.Tensor p = g.pointwise(Graph.Pointwise.MUL, g.matmul(q, k, weights(DType.F32)), a, weights(DType.F32));
        p = g.pointwise(Graph.Pointwise.SUB, p, sum(new TensorPlace.In(4)), weights(DType.F32));
        p = g.pointwise(Graph.Pointwise.EXP, p, null, weights(DType.F32));
        g.matmul(g.reshape(p, turned()), dO, result(keys, 2));

        Graph.Tensor ds = g.matmul(dO, columns(new TensorPlace.In(2)), weights(DType.F32));
        ds = g.pointwise(Graph.Pointwise.SUB, ds, delta, weights(DType.F32));
        ds = g.pointwise(Graph.Pointwise.MUL, ds, p, weights(DType.F32));
        ds = g.pointwise(Graph.Pointwise.MUL, ds, a, weights(DType.F32));
        g.matmul(g.reshape(ds, turned()), q, result(keys, 1));
        Graph.Tensor kRows = g.reshape(k, g.tensor(new TensorPlace.Virtual(), stored, new long[] {b, heads, s, d}, s * heads * d,
                d, heads * d, 1));
        // dq is computed whole and not summed by atomics, so every run gives the same bytes
        g.matmul(ds, kRows, rows(new TensorPlace.Out(0), t));
    }

    private Graph.Tensor scores(Graph.Tensor q, Graph.Tensor k) {
        return g.pointwise(Graph.Pointwise.MUL, g.matmul(q, k, weights(DType.F32)), g.scalar(scale), weights(DType.F32));
    }

    /** Makes the tensor [B,heads,n,d] that views [B,n,heads*d]. */
    private Graph.Tensor rows(TensorPlace place, long n) {
        return g.tensor(place, stored, new long[] {b, heads, n, d}, n * heads * d, d, heads * d, 1);
    }

    /** Makes the tensor [B,heads,d,S] that views [B,S,heads*d]. */
    private Graph.Tensor columns(TensorPlace place) {
        return g.tensor(place, stored, new long[] {b, heads, d, s}, s * heads * d, d, 1, heads * d);
    }

    /** Makes a virtual F32 tensor [B,heads,n,m]. */
    private Graph.Tensor packed(long n, long m) {
        return g.tensor(new TensorPlace.Virtual(), DType.F32, new long[] {b, heads, n, m}, heads * n * m, n * m, m, 1);
    }

    /** Makes a virtual tensor [B,heads,T,S]. */
    private Graph.Tensor weights(DType dtype) {
        return g.tensor(new TensorPlace.Virtual(), dtype, new long[] {b, heads, t, s}, heads * t * s, t * s, s, 1);
    }

    /** Makes a virtual tensor [B,heads,S,T], which is {@link #weights} with its last two axes exchanged. */
    private Graph.Tensor turned() {
        return g.tensor(new TensorPlace.Virtual(), stored, new long[] {b, heads, s, t}, heads * t * s, t * s, 1, s);
    }

    /** Makes the F32 tensor [B,heads,T,1] that views [B,heads,T]. */
    private Graph.Tensor sum(TensorPlace place) {
        return g.tensor(place, DType.F32, new long[] {b, heads, t, 1}, heads * t, t, 1, 1);
    }

    /** Makes the tensor of dk or dv: a result if it is wanted, otherwise one in working memory. */
    private Graph.Tensor result(boolean wanted, int number) {
        return wanted ? rows(new TensorPlace.Out(number), s)
                : g.scratch(stored, new long[] {b, heads, s, d}, s * heads * d, d, heads * d, 1);
    }
}
