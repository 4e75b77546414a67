// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.Arrays;
import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes c = a' b' (+ bias) with a' [..,M,K], b' [..,K,N], bias [N]. With {@code transA}, a' is a with its last two axes
 * exchanged, else a itself; {@code transB} says so of b'. Leading axes broadcast.
 */
public record MatMul(boolean transA, boolean transB) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape a = in.get(0).shape();
        Shape b = in.get(1).shape();
        Op.require(a.rank() >= 2 && b.rank() >= 2, "matmul: expected matrices, got %s and %s", a, b);
        int m = a.dim(transA ? -1 : -2);
        int k = a.dim(transA ? -2 : -1);
        int n = b.dim(transB ? -2 : -1);
        Op.require(k == b.dim(transB ? -1 : -2), "matmul: inner extents of %s%s and %s%s differ", a, transA ? "'" : "", b, transB
                ? "'" : "");
        Op.require(in.size() == 2 || in.get(2).shape().equals(Shape.of(n)), "matmul: expected a bias [%d], got %s", n,
                in.getLast());
        Shape batch = Shape.broadcast(batch(a), batch(b));
        int[] d = Arrays.copyOf(batch.dims(), batch.rank() + 2);
        d[batch.rank()] = m;
        d[batch.rank() + 1] = n;
        return List.of(Type.real(d));
    }

    private static Shape batch(Shape s) {
        return Shape.of(Arrays.copyOf(s.dims(), s.rank() - 2));
    }

    /** Emits da' = dc b'^T and db' = a'^T dc. */
    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Value a = at.in().get(0);
        Value b = at.in().get(1);
        Value c = cotangents[0];
        Value[] d = new Value[at.in().size()];
        if (wanted[0]) {
            d[0] = t.sumTo(transA ? t.matmul(b, c, transB, true) : t.matmul(c, b, false, !transB), a.shape());
        }
        if (wanted[1]) {
            d[1] = t.sumTo(transB ? t.matmul(c, a, true, transA) : t.matmul(a, c, !transA, false), b.shape());
        }
        if (d.length == 3 && wanted[2]) {
            d[2] = t.sumTo(c, at.in().get(2).shape());
        }
        return d;
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        Value da = tangents[0] == null ? null : t.matmul(tangents[0], at.in().get(1), transA, transB);
        Value db = tangents[1] == null ? null : t.matmul(at.in().get(0), tangents[1], transA, transB);
        Value sum = t.plus(da, db);
        if (tangents.length == 3 && tangents[2] != null) {
            sum = t.plus(sum, t.broadcast(tangents[2], at.result().shape()));
        }
        return new Value[] {sum};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        long k = in.get(0).shape().dim(transA ? -2 : -1);
        return new Cost(2 * k * out.getFirst().shape().size(), Op.perElement(0, in, out).bytes());
    }
}
