// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Computes z = x (kind) y element by element; shapes broadcast by numpy's rule. */
public record Binary(Kind kind) implements Op {
    /** The four operations. */
    public enum Kind { ADD, SUB, MUL, DIV }

    @Override
    public List<Type> infer(List<Type> in) {
        return List.of(Type.real(Shape.broadcast(in.get(0).shape(), in.get(1).shape())));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Value x = at.in().get(0);
        Value y = at.in().get(1);
        Value c = cotangents[0];
        Value dx = !wanted[0] ? null : switch (kind) {
            case ADD, SUB -> c;
            case MUL -> t.mul(c, y);
            case DIV -> t.div(c, y);
        };
        Value dy = !wanted[1] ? null : switch (kind) {
            case ADD -> c;
            case SUB -> t.scale(c, -1);
            case MUL -> t.mul(c, x);
            case DIV -> t.scale(t.div(t.mul(c, at.result()), y), -1);
        };
        return new Value[] {dx == null ? null : t.sumTo(dx, x.shape()), dy == null ? null : t.sumTo(dy, y.shape())};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        Value x = at.in().get(0);
        Value y = at.in().get(1);
        Value dx = tangents[0] == null ? null : switch (kind) {
            case ADD, SUB -> tangents[0];
            case MUL -> t.mul(tangents[0], y);
            case DIV -> t.div(tangents[0], y);
        };
        Value dy = tangents[1] == null ? null : switch (kind) {
            case ADD -> tangents[1];
            case SUB -> t.scale(tangents[1], -1);
            case MUL -> t.mul(x, tangents[1]);
            case DIV -> t.scale(t.div(t.mul(at.result(), tangents[1]), y), -1);
        };
        return new Value[] {t.broadcast(t.plus(dx, dy), at.result().shape())};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(1, in, out);
    }
}
