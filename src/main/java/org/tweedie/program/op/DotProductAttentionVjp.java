// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the pull-back of {@link DotProductAttention} from q, k, v, o, lse, do: dq and, with {@code keys}, dk and dv. With P
 * the softmax weights: dv = P^T do, dS = P (do v^T - rowsum(o do)), dq = dS k scale, dk = dS^T q scale (FlashAttention-2, arXiv
 * 2307.08691, algorithm 2). Its own derivatives come from its decomposition, in which o and lse are functions of q, k, v.
 */
public record DotProductAttentionVjp(DotProductAttention of, boolean keys) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        List<Type> forward = of.infer(in.subList(0, 3));
        Op.require(in.subList(3, 5).equals(forward) && in.get(5).equals(in.get(0)),
                "attention pull-back: expected o, lse, do of %s and %s, got %s", forward, in.get(0), in.subList(3, 6));
        return keys ? List.of(in.get(0), in.get(1), in.get(2)) : List.of(in.get(0));
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
        Value dout = of.split(t, in.get(5));
        Value p = of.weights(t, q, k); // [B,heads,N,M]
        Value dp = t.matmul(dout, v, false, true);
        Value ds = t.scale(t.mul(p, t.sub(dp, t.sum(t.mul(p, dp), -1))), of.scale(in.get(0).dim(2)));
        List<Value> d = new ArrayList<>(List.of(of.merge(t, t.matmul(ds, k, false, false))));
        if (keys) {
            d.add(of.merge(t, t.matmul(ds, q, true, false)));
            d.add(of.merge(t, t.matmul(p, dout, true, false)));
        }
        return d.toArray(Value[]::new);
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return new Cost((keys ? 10 : 6) * in.get(0).shape().size() * in.get(1).shape().dim(1), Op.perElement(0, in, out).bytes());
    }
}
