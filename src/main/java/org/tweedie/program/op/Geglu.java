// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Computes the gated unit of transformer blocks, y = a gelu(b) [..,C], for x = [a, b] [..,2C] along the last axis. */
public record Geglu() implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape x = in.getFirst().shape();
        Op.require(x.rank() > 0 && x.dim(-1) % 2 == 0, "geglu: the last axis of %s has no halves", x);
        return List.of(Type.real(x.with(-1, x.dim(-1) / 2)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.emit1(new GegluVjp(), at.in().getFirst(), cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(new GegluJvp(), at.in().getFirst(), tangents[0])};
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        return new Value[] {t.emit1(new UnaryMul(Fn.GELU, 0), second(t, in.getFirst()), first(t, in.getFirst()))};
    }

    /** Emits a of x = [a, b]. */
    static Value first(Tracer t, Value x) {
        return t.slice(x, -1, 0, x.dim(-1) / 2);
    }

    /** Emits b of x = [a, b]. */
    static Value second(Tracer t, Value x) {
        return t.slice(x, -1, x.dim(-1) / 2, x.dim(-1));
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(9, in, out);
    }
}
