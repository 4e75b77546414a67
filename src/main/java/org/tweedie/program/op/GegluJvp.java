// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the push-forward of {@link Geglu}, ty = ta gelu(b) + a gelu'(b) tb [..,C], from x = [a, b] and tx = [ta, tb] [..,2C].
 * Its own derivatives come from its decomposition.
 */
public record GegluJvp() implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Op.require(in.get(0).equals(in.get(1)), "geglu push-forward: expected a tangent %s, got %s", in.get(0), in.get(1));
        return new Geglu().infer(in.subList(0, 1));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return null;
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return null;
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        Value b = Geglu.second(t, in.get(0));
        Value throughA = t.emit1(new UnaryMul(Fn.GELU, 0), b, Geglu.first(t, in.get(1)));
        Value throughB = t.emit1(new UnaryMul(Fn.GELU, 1), b, t.mul(Geglu.second(t, in.get(1)), Geglu.first(t, in.get(0))));
        return new Value[] {t.add(throughB, throughA)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(22, in, out);
    }
}
