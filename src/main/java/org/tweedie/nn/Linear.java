// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/**
 * A linear layer y = x W^T + b with W [out,in]; b may be absent (null). It is a 1x1 convolution too, since channels come
 * last.
 */
public record Linear(String name, Tensor weight, Tensor bias) {
    public static Linear of(Weights w, int in, int out) {
        return new Linear(w.prefix(), w.take("weight", out, in), w.take("bias", out));
    }

    public static Linear withoutBias(Weights w, int in, int out) {
        return new Linear(w.prefix(), w.take("weight", out, in), null);
    }

    /** Reads a 1x1 convolution whose weight is stored as [out,in,1,1]. */
    public static Linear convolution(Weights w, int in, int out) {
        return new Linear(w.prefix(), w.take("weight", out, in, 1, 1).reshape(out, in), w.take("bias", out));
    }

    /** Traces [..,in] to [..,out]. */
    public Value apply(Tracer t, Value x) {
        return t.scope(name, () -> t.linear(x, t.constant(name + ".weight", weight), bias == null ? null
                : t.constant(name + ".bias", bias)));
    }
}
