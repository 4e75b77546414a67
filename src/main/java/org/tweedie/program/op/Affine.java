// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Computes y = scale x + shift with numbers that are known at tracing. */
public record Affine(double scale, double shift) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        return List.of(in.getFirst());
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.scale(cotangents[0], scale)};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.scale(tangents[0], scale)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(2, in, out);
    }
}
