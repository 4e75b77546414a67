// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes multi-head attention of q [B,N,C] to k and v [B,M,C]: o [B,N,C] = softmax(q k^T / sqrt(C/heads)) v for each head, and
 * lse [B,heads,N], the logarithm of the softmax's denominator. If causal, query i sees keys 0 to i. lse serves the pull-back and
 * push-forward only; no derivative flows through it (they account for it themselves).
 */
public record DotProductAttention(int heads, boolean causal) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape q = in.get(0).shape();
        Shape k = in.get(1).shape();
        Op.require(q.rank() == 3 && k.rank() == 3 && in.get(2).shape().equals(k) && q.dim(0) == k.dim(0) && q.dim(2) == k.dim(2),
                "attention: expected q [B,N,C], k and v [B,M,C], got %s", in);
        Op.require(q.dim(2) % heads == 0, "attention: %d channels do not split into %d heads", q.dim(2), heads);
        Op.require(!causal || q.dim(1) == k.dim(1), "causal attention: %d queries for %d keys", q.dim(1), k.dim(1));
        return List.of(in.get(0), Type.real(q.dim(0), heads, q.dim(1)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        List<Value> in = at.in();
        List<Value> d = t.emit(new DotProductAttentionVjp(this, wanted[1] || wanted[2]),
                in.get(0), in.get(1), in.get(2), at.out().get(0), at.out().get(1), cotangents[0]);
        return wanted[1] || wanted[2] ? d.toArray(Value[]::new) : new Value[] {d.getFirst(), null, null};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        List<Value> in = at.in();
        boolean keys = tangents[1] != null || tangents[2] != null;
        Value tq = tangents[0] == null ? t.zeros(in.get(0).shape()) : tangents[0];
        Op op = new DotProductAttentionJvp(this, keys);
        if (!keys) {
            return new Value[] {t.emit1(op, in.get(0), in.get(1), in.get(2), at.out().get(0), at.out().get(1), tq), null};
        }
        Value tk = tangents[1] == null ? t.zeros(in.get(1).shape()) : tangents[1];
        Value tv = tangents[2] == null ? t.zeros(in.get(2).shape()) : tangents[2];
        return new Value[] {t.emit1(op, in.get(0), in.get(1), in.get(2), at.out().get(0), at.out().get(1), tq, tk, tv), null};
    }

    /** The factor of the scores, 1 / sqrt(head size). */
    public double scale(int channels) {
        return 1 / Math.sqrt((double) channels / heads);
    }

    /** Splits [B,N,C] into heads: [B,heads,N,C/heads]. */
    Value split(Tracer t, Value x) {
        int c = x.dim(2);
        return t.transpose(t.reshape(x, Shape.of(x.dim(0), x.dim(1), heads, c / heads)), 0, 2, 1, 3);
    }

    /** Joins heads [B,heads,N,C/heads] to [B,N,C]. */
    Value merge(Tracer t, Value x) {
        return t.reshape(t.transpose(x, 0, 2, 1, 3), Shape.of(x.dim(0), x.dim(2), heads * x.dim(3)));
    }

    /** Emits the softmax weights [B,heads,N,M] of queries and keys split into heads. */
    Value weights(Tracer t, Value q, Value k) {
        Value s = t.scale(t.matmul(q, k, false, true), scale(heads * q.dim(3)));
        return t.emit1(new Softmax(), causal ? t.add(s, causalMask(t, q.dim(2))) : s);
    }

    private static Value causalMask(Tracer t, int n) {
        float[] mask = new float[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = i + 1; j < n; j++) {
                mask[i * n + j] = -1e30f;
            }
        }
        return t.constant("causal_mask", Tensor.of(Shape.of(n, n), mask));
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        Shape q = in.get(0).shape();
        return new Cost(4 * q.size() * in.get(1).shape().dim(1), Op.perElement(0, in, out).bytes());
    }
}
