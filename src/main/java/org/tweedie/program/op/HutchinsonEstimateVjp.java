// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the pull-back of {@link HutchinsonEstimate} to the network's predictions, [-sigma u - c e ; c e] [2B,..] with
 * c = factor weight / (sigma h). Operands are u [B,..], the cotangent of zbar over sqrt(abar), weight [B], the cotangent of the
 * trace, the probe e [B,..] and the scalars sigma and h. Its own derivatives come from its decomposition.
 */
public record HutchinsonEstimateVjp(double factor) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Type u = in.getFirst();
        Op.require(in.get(1).equals(Type.real(u.shape().dim(0))) && in.get(2).equals(u),
                "hutchinson estimate pull-back: expected [B] and a probe of one type with %s, got %s", u, in.subList(1, 3));
        Op.requireScalars("hutchinson estimate pull-back: sigma and h", in.subList(3, 5));
        return List.of(Op.twice(u));
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
        Value share = t.scale(t.mul(in.get(0), in.get(3)), -1);
        Value ce = new HutchinsonEstimate(factor).alongProbe(t, in.get(2), in.get(1), in.get(3), in.get(4));
        return new Value[] {t.concat(0, t.sub(share, ce), ce)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(3, in, out);
    }
}
