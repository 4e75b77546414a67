// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Geglu;
import org.tweedie.weights.Weights;

/** The feed-forward layer, GEGLU and a projection back: y = W2 (a gelu(g)), [a, g] = W1 x. */
public record FeedForward(Linear proj, Linear out) {
    public static FeedForward of(Weights w, int channels) {
        return new FeedForward(Linear.of(w.at("net.0.proj"), channels, 8 * channels),
                Linear.of(w.at("net.2"), 4 * channels, channels));
    }

    /** Traces [B,N,C] to [B,N,C]. */
    public Value apply(Tracer t, Value x) {
        Value h = proj.apply(t, x); // [B,N,8C]
        return out.apply(t, t.emit1(new Geglu(), h)); // from [B,N,4C]
    }
}
