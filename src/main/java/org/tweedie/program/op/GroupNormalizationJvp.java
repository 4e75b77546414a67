// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the push-forward of {@link GroupNormalization} from x, gamma, beta, tx:
 * ty = act'(u) gamma r (tx - mean(tx) - xhat mean(xhat tx)).
 * Statistics are recomputed. Its own derivatives come from its decomposition.
 */
public record GroupNormalizationJvp(GroupNormalization of) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        of.infer(in.subList(0, 3));
        Op.require(in.get(3).equals(in.get(0)), "group norm push-forward: expected a tangent %s, got %s", in.get(0), in.get(3));
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
        GroupNormalization.Parts p = GroupNormalization.Parts.of(of, t, in.get(0), in.get(1), in.get(2));
        Value tu = t.mul(p.project(t, t.reshape(in.get(3), p.grouped())), p.gamma());
        Value ty = of.silu() ? t.emit1(new UnaryMul(Fn.SILU, 1), p.u(), tu) : tu;
        return new Value[] {t.reshape(ty, in.getFirst().shape())};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(of.silu() ? 24 : 14, in, out);
    }
}
