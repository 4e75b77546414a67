// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Computes y = fn^(order)(x) element by element. */
public record Unary(Fn fn, int order) implements Op {
    public Unary {
        Op.require(order >= 0 && order <= Fn.MAX_ORDER, "%s: derivative %d is beyond order %d", fn, order, Fn.MAX_ORDER);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        return List.of(in.getFirst());
    }

    /** Emits dx = dy fn^(order+1)(x). */
    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.emit1(new UnaryMul(fn, order + 1), at.in().getFirst(), cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(new UnaryMul(fn, order + 1), at.in().getFirst(), tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(8, in, out);
    }
}
