// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/** Multi-head attention with its four projections, as in the transformer blocks of the UNet: no bias but at the output. */
public record Attention(Linear toQ, Linear toK, Linear toV, Linear toOut, int heads) {
    /** @param context width of what keys and values come from */
    public static Attention of(Weights w, int channels, int context, int heads) {
        return new Attention(
                Linear.withoutBias(w.at("to_q"), channels, channels),
                Linear.withoutBias(w.at("to_k"), context, channels),
                Linear.withoutBias(w.at("to_v"), context, channels),
                Linear.of(w.at("to_out.0"), channels, channels), heads);
    }

    /** x [B,N,C], context [B,M,C'] to [B,N,C]. */
    public Value apply(Tracer t, Value x, Value context) {
        Value q = toQ.apply(t, x); // [B,N,C]
        Value k = toK.apply(t, context); // [B,M,C]
        Value v = toV.apply(t, context); // [B,M,C]
        return toOut.apply(t, t.scope(toQ.name(), () -> t.attention(q, k, v, heads, false)));
    }
}
