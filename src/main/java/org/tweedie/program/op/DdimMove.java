// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Takes a deterministic DDIM step (arXiv 2010.02502, eta = 0) to another level: z' = sqrt(abar') zbar + sigma' eps with
 * zbar = (z - sigma eps) / sqrt(abar). Operands are z and eps of one shape, then the scalars sigma and sqrt(abar) of the level of
 * z and sqrt(abar') and sigma' of the other. Its derivatives come from its decomposition.
 */
public record DdimMove() implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Op.require(in.get(0).equals(in.get(1)), "ddim move: expected z and eps of one type, got %s", in.subList(0, 2));
        Op.requireScalars("ddim move: sigma and sqrt(abar) of both levels", in.subList(2, 6));
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
        Value mean = t.emit1(new TweedieMean(), in.get(0), in.get(1), in.get(2), in.get(3));
        return new Value[] {t.add(t.mul(mean, in.get(4)), t.mul(in.get(1), in.get(5)))};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(6, in, out);
    }
}
