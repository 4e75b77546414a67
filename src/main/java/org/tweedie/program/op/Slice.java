// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Takes the part [from, to) of one axis. */
public record Slice(int axis, int from, int to) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape s = in.getFirst().shape();
        Op.require(from >= 0 && from < to && to <= s.dim(axis), "slice: [%d,%d) is outside of axis %d of %s", from, to, axis, s);
        return List.of(new Type(in.getFirst().dtype(), s.with(axis, to - from)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.pad(cotangents[0], axis, from, at.in().getFirst().dim(axis) - to)};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return new Cost(0, 8 * out.getFirst().shape().size());
    }
}
