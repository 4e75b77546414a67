// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/** Layer normalisation over the channels of each token. */
public record LayerNorm(String name, Tensor weight, Tensor bias, double eps) {
    public static LayerNorm of(Weights w, int channels, double eps) {
        return new LayerNorm(w.prefix(), w.take("weight", channels), w.take("bias", channels), eps);
    }

    /** Traces [..,C] to [..,C]. */
    public Value apply(Tracer t, Value x) {
        return t.scope(name, () -> t.layerNorm(x, t.constant(name + ".weight", weight), t.constant(name + ".bias", bias), eps));
    }
}
