// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Convolution;
import org.tweedie.weights.Weights;

/** A convolution with bias; its weight is [out,in,kernel,kernel]. */
public record Conv2d(String name, Tensor weight, Tensor bias, Convolution op) {
    /** Reads a convolution with symmetric zero padding from weights. */
    public static Conv2d of(Weights w, int in, int out, int kernel, int stride, int pad) {
        return of(w, in, out, kernel, new Convolution(stride, pad, pad, pad, pad));
    }

    public static Conv2d of(Weights w, int in, int out, int kernel, Convolution op) {
        return new Conv2d(w.prefix(), w.take("weight", out, in, kernel, kernel), w.take("bias", out), op);
    }

    /** Traces [B,H,W,in] to [B,H',W',out]. */
    public Value apply(Tracer t, Value x) {
        return t.scope(name, () -> t.conv2d(x, t.constant(name + ".weight", weight), t.constant(name + ".bias", bias), op));
    }
}
