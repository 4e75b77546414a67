// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Sums blocks of factor x factor pixels of x [B,H,W,C] to [B,H/factor,W/factor,C]: the adjoint of {@link Upsample}. */
public record SumPool(int factor) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape s = in.getFirst().shape();
        Op.require(s.dim(1) % factor == 0 && s.dim(2) % factor == 0, "sum pool: sides of %s are not multiples of %d", s, factor);
        return List.of(Type.real(s.dim(0), s.dim(1) / factor, s.dim(2) / factor, s.dim(3)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        return new Value[] {t.emit1(new Upsample(factor), cotangents[0])};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return new Cost(in.getFirst().shape().size(), Op.perElement(0, in, out).bytes());
    }
}
