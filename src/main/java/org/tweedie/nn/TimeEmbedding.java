// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;
import org.tweedie.weights.Weights;

/** The embedding of the timestep: sinusoids and two linear layers, [B] to [B,temb]. */
public record TimeEmbedding(Tensor frequencies, boolean flipSinToCos, Linear linear1, Linear linear2) {
    /**
     * Reads the layers from weights. The frequencies are 10000^(-i / (width/2 - shift)), i = 0 .. width/2 - 1.
     *
     * @param width the number of sinusoids, which is the width of the UNet's first level
     */
    public static TimeEmbedding of(Weights w, int width, int temb, boolean flipSinToCos, double shift) {
        int half = width / 2;
        float[] f = new float[half];
        for (int i = 0; i < half; i++) {
            // single precision throughout, as the networks were trained: at t = 999 a rounding of the frequency f changes the
            // angle by 1e-4
            f[i] = (float) Math.exp((float) -Math.log(10000) * i / (float) (half - shift));
        }
        return new TimeEmbedding(Tensor.of(Shape.of(1, half), f), flipSinToCos,
                Linear.of(w.at("linear_1"), width, temb), Linear.of(w.at("linear_2"), temb, temb));
    }

    public Value apply(Tracer t, Value timestep) {
        // [B,width/2]
        Value angle = t.mul(t.reshape(timestep, Shape.of(timestep.dim(0), 1)), t.constant("frequencies", frequencies));
        Value sin = t.unary(Fn.SIN, angle);
        Value cos = t.unary(Fn.COS, angle);
        Value e = flipSinToCos ? t.concat(1, cos, sin) : t.concat(1, sin, cos); // [B,width]
        return linear2.apply(t, t.silu(linear1.apply(t, e)));
    }
}
