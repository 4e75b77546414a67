// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Makes the two points at which a Hutchinson probe evaluates a network, [z ; z + h e] [2B,..], from z and e [B,..] and a scalar
 * h. The pull-back to z alone is {@link HutchinsonPairVjp}; all other derivatives come from the decomposition.
 */
public record HutchinsonPair() implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Op.require(in.get(0).equals(in.get(1)), "hutchinson pair: expected z and e of one type, got %s", in.subList(0, 2));
        Op.requireScalars("hutchinson pair: h", in.subList(2, 3));
        return List.of(Op.twice(in.getFirst()));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return wanted[1] || wanted[2] ? null : new Value[] {t.emit1(new HutchinsonPairVjp(), cotangents[0]), null, null};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return null;
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        return new Value[] {t.concat(0, in.get(0), t.add(in.get(0), t.mul(in.get(1), in.get(2))))};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(1, in, out);
    }
}
