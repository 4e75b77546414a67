// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the cross-correlation y [B,H',W',Cout] with zero padding of x [B,H,W,Cin], w [Cout,Cin,kh,kw] (the checkpoint's
 * layout) and, optionally, bias [Cout]. Weights are constants: derivatives go to x only.
 */
public record Convolution(int stride, int top, int left, int bottom, int right) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape x = in.get(0).shape();
        Shape w = in.get(1).shape();
        Op.require(x.rank() == 4 && w.rank() == 4 && x.dim(3) == w.dim(1), "conv2d: image %s and weight %s do not fit", x, w);
        Op.require(in.size() == 2 || in.get(2).shape().equals(Shape.of(w.dim(0))), "conv2d: expected a bias [%d], got %s",
                w.dim(0), in.getLast());
        int h = x.dim(1) + top + bottom - w.dim(2);
        int wd = x.dim(2) + left + right - w.dim(3);
        Op.require(h >= 0 && wd >= 0, "conv2d: the kernel of %s does not fit into %s", w, x);
        return List.of(Type.real(x.dim(0), h / stride + 1, wd / stride + 1, w.dim(0)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Value x = at.in().get(0);
        Value[] d = new Value[at.in().size()];
        if (wanted[0]) {
            d[0] = t.emit1(new ConvolutionVjp(this, x.dim(1), x.dim(2)), cotangents[0], at.in().get(1));
        }
        Op.require(!wanted[1], "conv2d: weights are constants and have no cotangent");
        return d;
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        Op.require(tangents[1] == null, "conv2d: weights are constants and have no tangent");
        return new Value[] {t.emit1(this, tangents[0], at.in().get(1))};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        Shape w = in.get(1).shape();
        return new Cost(2 * w.size(1, 4) * out.getFirst().shape().size(), Op.perElement(0, in, out).bytes());
    }
}
