// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Applies classifier-free guidance (arXiv 2207.12598): it computes without + weight (with - without) [B,..] from [without ; with]
 * [2B,..], the two halves of the first axis. It is linear: its push-forward is itself, its pull-back {@link GuidanceVjp}.
 */
public record Guidance(double weight) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        return List.of(Op.firstHalf("guidance", in.getFirst()));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.emit1(new GuidanceVjp(this), cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        int b = in.getFirst().dim(0) / 2;
        Value without = t.slice(in.getFirst(), 0, 0, b);
        Value with = t.slice(in.getFirst(), 0, b, 2 * b);
        return new Value[] {t.add(without, t.scale(t.sub(with, without), weight))};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(3, in, out);
    }
}
