// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/**
 * A residual block: h = conv1(silu(norm1(x))) + time; y = shortcut(x) + conv2(silu(norm2(h))). In the autoencoder it has no
 * time embedding (null); if the width stays the same, it has no shortcut (null).
 */
public record ResnetBlock(GroupNorm norm1, Conv2d conv1, Linear timeEmbProj, GroupNorm norm2, Conv2d conv2, Linear convShortcut) {
    /** Reads the block from weights. @param temb the width of the time embedding, 0 for none */
    public static ResnetBlock of(Weights w, int in, int out, int temb, int groups, double eps) {
        return new ResnetBlock(
                GroupNorm.of(w.at("norm1"), in, groups, eps),
                Conv2d.of(w.at("conv1"), in, out, 3, 1, 1),
                temb == 0 ? null : Linear.of(w.at("time_emb_proj"), temb, out),
                GroupNorm.of(w.at("norm2"), out, groups, eps),
                Conv2d.of(w.at("conv2"), out, out, 3, 1, 1),
                in == out ? null : Linear.convolution(w.at("conv_shortcut"), in, out));
    }

    /** Traces x [B,H,W,in] and temb [B,temb] (null in the autoencoder) to [B,H,W,out]. */
    public Value apply(Tracer t, Value x, Value temb) {
        Value h = conv1.apply(t, norm1.applySilu(t, x)); // [B,H,W,out]
        if (timeEmbProj != null) {
            Value e = timeEmbProj.apply(t, t.silu(temb)); // [B,out]
            h = t.add(h, t.reshape(e, Shape.of(e.dim(0), 1, 1, e.dim(1))));
        }
        h = conv2.apply(t, norm2.applySilu(t, h)); // [B,H,W,out]
        return t.add(convShortcut == null ? x : convShortcut.apply(t, x), h);
    }
}
