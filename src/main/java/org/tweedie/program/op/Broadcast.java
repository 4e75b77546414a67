// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Repeats a tensor to a larger shape by numpy's rule: the adjoint of a sum. */
public record Broadcast(Shape to) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape s = in.getFirst().shape();
        Op.require(Shape.broadcast(s, to).equals(to), "broadcast: %s does not fit into %s", s, to);
        return List.of(Type.real(to));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.sumTo(cotangents[0], at.in().getFirst().shape())};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.broadcast(tangents[0], to)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(0, in, out);
    }
}
