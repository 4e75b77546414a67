// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/**
 * Multi-head attention with its four projections, as in the transformer blocks of the UNet: only the output projection has a
 * bias.
 */
public record Attention(Linear toQ, Linear toK, Linear toV, Linear toOut, int heads) {
    /** Reads the layer from weights. @param context the width of the context that keys and values are computed from */
    public static Attention of(Weights w, int channels, int context, int heads) {
        return new Attention(
                Linear.withoutBias(w.at("to_q"), channels, channels),
                Linear.withoutBias(w.at("to_k"), context, channels),
                Linear.withoutBias(w.at("to_v"), context, channels),
                Linear.of(w.at("to_out.0"), channels, channels), heads);
    }

    /** Traces x [B,N,C] and context [B,M,C'] to [B,N,C]. */
    public Value apply(Tracer t, Value x, Value context) {
        Value q = toQ.apply(t, x); // [B,N,C]
        Value k = toK.apply(t, context); // [B,M,C]
        Value v = toV.apply(t, context); // [B,M,C]
        return toOut.apply(t, t.scope(toQ.name(), () -> t.attention(q, k, v, heads, false)));
    }
}
