// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes dx [B,height,width,Cin] from dy [B,H',W',Cout] and w [Cout,Cin,kh,kw]: the adjoint of {@link Convolution} in its
 * image. It is linear, so its push-forward is itself.
 */
public record ConvolutionVjp(Convolution of, int height, int width) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape dy = in.get(0).shape();
        Shape w = in.get(1).shape();
        Type dx = Type.real(dy.dim(0), height, width, w.dim(1));
        Type expected = of.infer(List.of(dx, in.get(1))).getFirst();
        Op.require(expected.equals(in.get(0)), "conv2d pull-back: expected a cotangent %s, got %s", expected, in.get(0));
        return List.of(dx);
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Op.require(!wanted[1], "conv2d: weights are constants and have no cotangent");
        return new Value[] {t.emit1(of, cotangents[0], at.in().get(1)), null};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        Op.require(tangents[1] == null, "conv2d: weights are constants and have no tangent");
        return new Value[] {t.emit1(this, tangents[0], at.in().get(1))};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return new Cost(2 * in.get(1).shape().size(1, 4) * in.get(0).shape().size(), Op.perElement(0, in, out).bytes());
    }
}
