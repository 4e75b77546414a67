// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes the pull-back of {@link GroupNormalization} from x, gamma, beta, dy: dx = r (v - mean(v) - xhat mean(xhat v)) with
 * v = gamma act'(u) dy, r = 1/sqrt(var + eps). Statistics are recomputed. Its own derivatives come from its decomposition.
 */
public record GroupNormalizationVjp(GroupNormalization of) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        of.infer(in.subList(0, 3));
        Op.require(in.get(3).equals(in.get(0)), "group norm pull-back: expected a cotangent %s, got %s", in.get(0), in.get(3));
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
        Value dy = t.reshape(in.get(3), p.grouped());
        Value du = of.silu() ? t.emit1(new UnaryMul(Fn.SILU, 1), p.u(), dy) : dy;
        return new Value[] {t.reshape(p.project(t, t.mul(du, p.gamma())), in.getFirst().shape())};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(of.silu() ? 24 : 14, in, out);
    }
}
