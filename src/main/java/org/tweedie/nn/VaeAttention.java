// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import java.util.List;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/** Single-head self-attention over the positions of an image with a residual connection, in the middle of the autoencoder. */
public record VaeAttention(GroupNorm groupNorm, Linear toQ, Linear toK, Linear toV, Linear toOut) {
    public static VaeAttention of(Weights w, int channels, int groups) {
        return new VaeAttention(GroupNorm.of(w.at("group_norm"), channels, groups, 1e-6), linear(w, "to_q", "query", channels),
                linear(w, "to_k", "key", channels), linear(w, "to_v", "value", channels),
                linear(w, "to_out.0", "proj_attn", channels));
    }

    /** Reads a projection; older checkpoints use other names and sometimes store these matrices as 1x1 convolutions. */
    private static Linear linear(Weights w, String name, String old, int channels) {
        Tensor weight = w.takeAny(List.of(name + ".weight", old + ".weight"), channels, channels);
        return new Linear(w.prefix() + "." + name, weight, w.takeAny(List.of(name + ".bias", old + ".bias"), channels));
    }

    /** Traces [B,H,W,C] to [B,H,W,C]. */
    public Value apply(Tracer t, Value x) {
        Value h = t.reshape(groupNorm.apply(t, x), Shape.of(x.dim(0), x.dim(1) * x.dim(2), x.dim(3))); // [B,N,C]
        Value q = toQ.apply(t, h);
        Value k = toK.apply(t, h);
        Value v = toV.apply(t, h);
        Value o = toOut.apply(t, t.scope(toQ.name(), () -> t.attention(q, k, v, 1, false))); // [B,N,C]
        return t.add(x, t.reshape(o, x.shape()));
    }
}
