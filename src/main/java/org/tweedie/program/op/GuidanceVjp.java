// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the pull-back of {@link Guidance}, [c - weight c ; weight c] [2B,..], from c [B,..]. It is linear; its pull-back is
 * the guidance itself.
 */
public record GuidanceVjp(Guidance of) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        return List.of(Op.twice(in.getFirst()));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.emit1(of, cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        Value with = t.scale(in.getFirst(), of.weight());
        return new Value[] {t.concat(0, t.sub(in.getFirst(), with), with)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(2, in, out);
    }
}
