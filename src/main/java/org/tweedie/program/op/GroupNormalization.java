// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Computes y = act(gamma xhat + beta), xhat = (x - mean) / sqrt(var + eps), for x [B,..,C] and gamma, beta [C]. Mean and (biased)
 * variance are those of one sample's group of C/groups neighbouring channels over all places. act is SiLU or nothing.
 * Layer norm over C is the case [tokens,1,C] with one group.
 */
public record GroupNormalization(int groups, double eps, boolean silu) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape x = in.get(0).shape();
        Op.require(x.rank() >= 3 && x.dim(-1) % groups == 0, "group norm: the channels of %s do not split into %d groups", x,
                groups);
        Op.require(in.get(1).shape().equals(Shape.of(x.dim(-1))) && in.get(2).shape().equals(in.get(1).shape()),
                "group norm: expected gamma and beta [%d], got %s", x.dim(-1), in.subList(1, 3));
        return List.of(in.getFirst());
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Op.require(!wanted[1] && !wanted[2], "group norm: gamma and beta are constants and have no cotangent");
        return new Value[] {t.emit1(new GroupNormalizationVjp(this), at.in().get(0), at.in().get(1), at.in().get(2),
                cotangents[0]), null, null};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        Op.require(tangents[1] == null && tangents[2] == null, "group norm: gamma and beta are constants and have no tangent");
        return new Value[] {t.emit1(new GroupNormalizationJvp(this), at.in().get(0), at.in().get(1), at.in().get(2),
                tangents[0])};
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        Parts p = Parts.of(this, t, in.get(0), in.get(1), in.get(2));
        Value y = silu ? t.unary(Fn.SILU, p.u) : p.u;
        return new Value[] {t.reshape(y, in.getFirst().shape())};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(silu ? 16 : 8, in, out);
    }

    /** The steps that the norm, its pull-back and its push-forward share; all in [B,places,groups,C/groups]. */
    record Parts(Shape grouped, long n, Value gamma, Value r, Value xhat, Value u) {
        static Parts of(GroupNormalization op, Tracer t, Value x, Value gamma, Value beta) {
            Shape s = x.shape();
            int c = s.dim(-1);
            Shape grouped = Shape.of(s.dim(0), (int) (s.size() / s.dim(0) / c), op.groups, c / op.groups);
            long n = (long) grouped.dim(1) * grouped.dim(3);
            Value g = t.reshape(gamma, Shape.of(op.groups, c / op.groups));
            Value b = t.reshape(beta, Shape.of(op.groups, c / op.groups));
            Value centred = t.reshape(x, grouped);
            centred = t.sub(centred, mean(t, centred, n)); // [B,P,G,Cg]
            Value var = mean(t, t.mul(centred, centred), n); // [B,1,G,1]
            Value r = t.unary(Fn.RSQRT, t.affine(var, 1, op.eps));
            Value xhat = t.mul(centred, r);
            return new Parts(grouped, n, g, r, xhat, t.add(t.mul(xhat, g), b));
        }

        static Value mean(Tracer t, Value x, long n) {
            return t.scale(t.sum(x, 1, 3), 1.0 / n);
        }

        /** Emits r (v - mean(v) - xhat mean(xhat v)): the symmetric Jacobian of xhat in x. */
        Value project(Tracer t, Value v) {
            Value along = mean(t, t.mul(xhat, v), n);
            return t.mul(r, t.sub(t.sub(v, mean(t, v, n)), t.mul(xhat, along)));
        }
    }
}
