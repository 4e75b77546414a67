// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/** Group normalisation with gain and shift per channel. */
public record GroupNorm(String name, Tensor weight, Tensor bias, int groups, double eps) {
    public static GroupNorm of(Weights w, int channels, int groups, double eps) {
        return new GroupNorm(w.prefix(), w.take("weight", channels), w.take("bias", channels), groups, eps);
    }

    /** Traces [B,..,C] to [B,..,C]. */
    public Value apply(Tracer t, Value x) {
        return apply(t, x, false);
    }

    /** Traces the norm and the SiLU that follows it as one op. */
    public Value applySilu(Tracer t, Value x) {
        return apply(t, x, true);
    }

    private Value apply(Tracer t, Value x, boolean silu) {
        return t.scope(name, () -> t.groupNorm(x, t.constant(name + ".weight", weight), t.constant(name + ".bias", bias), groups,
                eps, silu));
    }
}
