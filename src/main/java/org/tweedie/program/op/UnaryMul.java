// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes y = g fn^(order)(x) for x and g of one shape: a gate (order 0, as in GEGLU) or an activation's pull-back (order 1).
 */
public record UnaryMul(Fn fn, int order) implements Op {
    public UnaryMul {
        Op.require(order >= 0 && order <= Fn.MAX_ORDER, "%s: derivative %d is beyond order %d", fn, order, Fn.MAX_ORDER);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Op.require(in.get(0).equals(in.get(1)), "%s: expected two tensors of one type, got %s", this, in);
        return List.of(in.getFirst());
    }

    /** Emits dx = dy g fn^(order+1)(x) and dg = dy fn^(order)(x). */
    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Value x = at.in().get(0);
        Value g = at.in().get(1);
        Value c = cotangents[0];
        return new Value[] {
            wanted[0] ? t.emit1(new UnaryMul(fn, order + 1), x, t.mul(c, g)) : null,
            wanted[1] ? t.emit1(this, x, c) : null};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        Value x = at.in().get(0);
        Value g = at.in().get(1);
        Value throughX = tangents[0] == null ? null : t.emit1(new UnaryMul(fn, order + 1), x, t.mul(tangents[0], g));
        Value throughG = tangents[1] == null ? null : t.emit1(this, x, tangents[1]);
        return new Value[] {t.plus(throughX, throughG)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(9, in, out);
    }
}
