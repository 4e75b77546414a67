// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Enlarges x [B,H,W,C] to [B,factor H,factor W,C] by repeating its nearest pixels. */
public record Upsample(int factor) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape s = in.getFirst().shape();
        return List.of(Type.real(s.dim(0), factor * s.dim(1), factor * s.dim(2), s.dim(3)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.emit1(new SumPool(factor), cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(0, in, out);
    }
}
