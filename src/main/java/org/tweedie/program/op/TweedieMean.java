// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes Tweedie's posterior mean, zbar = (z - sigma eps) / sqrt(abar), from z and eps of one shape and scalars sigma,
 * sqrt(abar). Its derivatives come from its decomposition.
 */
public record TweedieMean() implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Op.require(in.get(0).equals(in.get(1)), "tweedie mean: expected z and eps of one type, got %s", in.subList(0, 2));
        Op.requireScalars("tweedie mean: sigma and sqrt(abar)", in.subList(2, 4));
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
        return new Value[] {t.div(t.sub(in.get(0), t.mul(in.get(1), in.get(2))), in.get(3))};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(3, in, out);
    }
}
