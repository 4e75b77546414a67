// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Computes the pull-back of {@link HutchinsonPair} to z: the sum [B,..] of the halves of c [2B,..]. It is linear. */
public record HutchinsonPairVjp() implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        return List.of(Op.firstHalf("hutchinson pair pull-back", in.getFirst()));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.concat(0, cotangents[0], cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        int b = in.getFirst().dim(0) / 2;
        return new Value[] {t.add(t.slice(in.getFirst(), 0, 0, b), t.slice(in.getFirst(), 0, b, 2 * b))};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(1, in, out);
    }
}
