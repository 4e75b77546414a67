// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.Arrays;
import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Evaluates the predictions of noise at a {@link HutchinsonPair}. From z [B,..], both = [eps(z) ; eps(z + h e)] [2B,..], the
 * probe e [B,..] and the scalars h, sigma, sqrt(abar) it computes
 *
 * <pre>  zbar = (z - sigma eps(z)) / sqrt(abar) [B,..],   trace = factor e.(eps(z + h e) - eps(z)) / (h sigma) [B]</pre>
 *
 * which are Tweedie's mean at z and the estimate of a trace; with factor -1 it is the trace of the score's Jacobian. One
 * pull-back through the network serves both: {@link HutchinsonEstimateVjp}. Push-forwards come from the decomposition, and so do
 * cotangents of e and of the scalars.
 */
public record HutchinsonEstimate(double factor) implements FusedOp {
    @Override
    public List<Type> infer(List<Type> in) {
        Type z = in.get(0);
        Op.require(in.get(1).equals(Op.twice(z)) && in.get(2).equals(z),
                "hutchinson estimate: expected predictions %s and a probe %s, got %s",
                Op.twice(z), z, in.subList(1, 3));
        Op.requireScalars("hutchinson estimate: h, sigma and sqrt(abar)", in.subList(3, 6));
        return List.of(z, Type.real(z.shape().dim(0)));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        if (wanted[2] || wanted[3] || wanted[4] || wanted[5]) {
            return null;
        }
        Value e = at.in().get(2);
        Value h = at.in().get(3);
        Value sigma = at.in().get(4);
        Value dz = cotangents[0] == null ? null : t.div(cotangents[0], at.in().get(5)); // [B,..]
        Value both; // [2B,..]
        if (dz == null) {
            Value ce = alongProbe(t, e, cotangents[1], sigma, h);
            both = t.concat(0, t.scale(ce, -1), ce);
        } else if (cotangents[1] == null) {
            both = t.pad(t.scale(t.mul(dz, sigma), -1), 0, 0, dz.dim(0));
        } else {
            both = t.emit1(new HutchinsonEstimateVjp(factor), dz, cotangents[1], e, sigma, h);
        }
        return new Value[] {dz, both, null, null, null, null};
    }

    /**
     * Emits c e with c = factor weight / (sigma h) for each sample: the cotangent of eps(z + h e), if weight is that of the
     * trace.
     */
    Value alongProbe(Tracer t, Value e, Value weight, Value sigma, Value h) {
        int[] column = new int[e.shape().rank()];
        Arrays.fill(column, 1);
        column[0] = e.dim(0);
        return t.mul(t.reshape(t.div(t.div(t.scale(weight, factor), sigma), h), Shape.of(column)), e);
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return null;
    }

    @Override
    public Value[] decompose(Tracer t, List<Value> in) {
        int b = in.get(0).dim(0);
        Value eps = t.slice(in.get(1), 0, 0, b);
        Value mean = t.emit1(new TweedieMean(), in.get(0), eps, in.get(4), in.get(5));
        Value along = t.sumPerSample(t.mul(in.get(2), t.sub(t.slice(in.get(1), 0, b, 2 * b), eps))); // [B]
        return new Value[] {mean, t.scale(t.div(t.div(along, in.get(3)), in.get(4)), factor)};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(6, in, out);
    }
}
