// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Sums over some axes, which stay with extent 1. */
public record ReduceSum(List<Integer> axes) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape s = in.getFirst().shape();
        for (int a : axes) {
            s = s.with(a, 1);
        }
        return List.of(Type.real(s));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.broadcast(cotangents[0], at.in().getFirst().shape())};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return new Cost(in.getFirst().shape().size(), 4 * (in.getFirst().shape().size() + out.getFirst().shape().size()));
    }
}
