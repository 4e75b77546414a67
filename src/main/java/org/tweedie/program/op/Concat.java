// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Joins tensors along one axis. */
public record Concat(int axis) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape first = in.getFirst().shape();
        int n = 0;
        for (Type x : in) {
            Op.require(x.shape().rank() == first.rank() && x.shape().with(axis, 1).equals(first.with(axis, 1)),
                    "concat along axis %d: %s and %s differ elsewhere", axis, first, x.shape());
            n += x.shape().dim(axis);
        }
        return List.of(Type.real(first.with(axis, n)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Value[] d = new Value[at.in().size()];
        int from = 0;
        for (int i = 0; i < d.length; i++) {
            int n = at.in().get(i).dim(axis);
            d[i] = wanted[i] ? t.slice(cotangents[0], axis, from, from + n) : null;
            from += n;
        }
        return d;
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        Value[] parts = new Value[tangents.length];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = tangents[i] == null ? t.zeros(at.in().get(i).shape()) : tangents[i];
        }
        return new Value[] {t.emit1(this, parts)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(0, in, out);
    }
}
