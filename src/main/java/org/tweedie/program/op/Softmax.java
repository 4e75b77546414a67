// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Computes p = exp(x) / sum exp(x) along the last axis. */
public record Softmax() implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        return List.of(in.getFirst());
    }

    /** Emits p (c - sum(p c)). The Jacobian is symmetric, so pull-back and push-forward are one formula. */
    private static Value derivative(Tracer t, Value p, Value c) {
        return t.mul(p, t.sub(c, t.sum(t.mul(p, c), -1)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {derivative(t, at.result(), cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {derivative(t, at.result(), tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(8, in, out);
    }
}
