// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Puts zeros before and after a tensor along one axis: the adjoint of {@link Slice}. */
public record Pad(int axis, int before, int after) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Op.require(before >= 0 && after >= 0, "pad: %d and %d must not be negative", before, after);
        Type x = in.getFirst();
        return List.of(Type.real(x.shape().with(axis, before + x.shape().dim(axis) + after)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.slice(cotangents[0], axis, before, before + at.in().getFirst().dim(axis))};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(0, in, out);
    }
}
