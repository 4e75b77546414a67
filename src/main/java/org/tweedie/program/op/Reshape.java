// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Gives the elements of x, in their order, another shape; no memory moves. */
public record Reshape(Shape to) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Type x = in.getFirst();
        Op.require(x.shape().size() == to.size(), "reshape: %s has another size than %s", x.shape(), to);
        return List.of(new Type(x.dtype(), to));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.reshape(cotangents[0], at.in().getFirst().shape())};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.reshape(tangents[0], to)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Cost.NONE;
    }
}
