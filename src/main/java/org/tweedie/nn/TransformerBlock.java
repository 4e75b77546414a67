// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/**
 * Self-attention, cross-attention to the text and a feed-forward layer, each after a layer norm and with a residual
 * connection.
 */
public record TransformerBlock(LayerNorm norm1, Attention attn1, LayerNorm norm2, Attention attn2, LayerNorm norm3,
        FeedForward ff) {
    public static TransformerBlock of(Weights w, int channels, int context, int heads) {
        return new TransformerBlock(
                LayerNorm.of(w.at("norm1"), channels, 1e-5), Attention.of(w.at("attn1"), channels, channels, heads),
                LayerNorm.of(w.at("norm2"), channels, 1e-5), Attention.of(w.at("attn2"), channels, context, heads),
                LayerNorm.of(w.at("norm3"), channels, 1e-5), FeedForward.of(w.at("ff"), channels));
    }

    /** Traces x [B,N,C] and context [B,M,C'] to [B,N,C]. */
    public Value apply(Tracer t, Value x, Value context) {
        Value n = norm1.apply(t, x);
        x = t.add(x, attn1.apply(t, n, n));
        x = t.add(x, attn2.apply(t, norm2.apply(t, x), context));
        return t.add(x, ff.apply(t, norm3.apply(t, x)));
    }
}
