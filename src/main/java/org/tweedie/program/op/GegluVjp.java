// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the pull-back of {@link Geglu}, dx = [dy gelu(b), dy a gelu'(b)] [..,2C], from x = [a, b] [..,2C] and dy [..,C].
 * Its own derivatives come from its decomposition.
 */
public record GegluVjp() implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Type y = new Geglu().infer(in.subList(0, 1)).getFirst();
        Op.require(in.get(1).equals(y), "geglu pull-back: expected a cotangent %s, got %s", y, in.get(1));
        return List.of(in.getFirst());
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
        Value a = Geglu.first(t, in.get(0));
        Value b = Geglu.second(t, in.get(0));
        Value dy = in.get(1);
        Value da = t.emit1(new UnaryMul(Fn.GELU, 0), b, dy);
        Value db = t.emit1(new UnaryMul(Fn.GELU, 1), b, t.mul(dy, a));
        return new Value[] {t.concat(-1, da, db)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(10, in, out);
    }
}
