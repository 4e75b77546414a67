// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the push-forward of {@link DotProductAttention} from q, k, v, o, lse, tq and, with {@code keys}, tk and tv: the
 * tangent of o is (P (T - rowsum(P T))) v + P tv, T = (tq k^T + q tk^T) scale (arXiv 2410.11081, appendix F). Its own derivatives
 * come from its decomposition, in which o and lse are functions of q, k, v.
 */
public record DotProductAttentionJvp(DotProductAttention of, boolean keys) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        List<Type> forward = of.infer(in.subList(0, 3));
        Op.require(in.subList(3, 5).equals(forward) && in.get(5).equals(in.get(0)) && in.size() == (keys ? 8 : 6),
                "attention push-forward: expected o, lse and tangents for %s, got %s", forward, in.subList(3, in.size()));
        return List.of(in.get(0));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return null;
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return null;
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        Value q = of.split(t, in.get(0));
        Value k = of.split(t, in.get(1));
        Value v = of.split(t, in.get(2));
        Value p = of.weights(t, q, k); // [B,heads,N,M]
        Value ts = t.matmul(of.split(t, in.get(5)), k, false, true);
        if (keys) {
            ts = t.add(ts, t.matmul(q, of.split(t, in.get(6)), false, true));
        }
        ts = t.scale(ts, of.scale(in.get(0).dim(2)));
        Value tp = t.mul(p, t.sub(ts, t.sum(t.mul(p, ts), -1)));
        Value out = t.matmul(tp, v, false, false);
        if (keys) {
            out = t.add(out, t.matmul(p, of.split(t, in.get(7)), false, false));
        }
        return new Value[] {of.merge(t, out)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return new Cost((keys ? 10 : 6) * in.get(0).shape().size() * in.get(1).shape().dim(1), Op.perElement(0, in, out).bytes());
    }
}
