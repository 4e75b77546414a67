// SPDX-License-Identifier: Apache-2.0
package org.tweedie.nn;

import java.util.List;
import java.util.stream.IntStream;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/**
 * Transformer blocks over the positions of an image, between two projections and with a residual connection (diffusers'
 * Transformer2DModel).
 */
public record SpatialTransformer(GroupNorm norm, Linear projIn, List<TransformerBlock> blocks, Linear projOut) {
    /**
     * Reads the layers from weights.
     *
     * @param linear true if the projections are stored as matrices (SD 2.x), false for 1x1 convolutions (SD 1.x); the
     *         arithmetic is the same
     */
    public static SpatialTransformer of(Weights w, int channels, int context, int heads, int groups, int depth, boolean linear) {
        return new SpatialTransformer(
                GroupNorm.of(w.at("norm"), channels, groups, 1e-6),
                linear ? Linear.of(w.at("proj_in"), channels, channels) : Linear.convolution(w.at("proj_in"), channels, channels),
                IntStream.range(0, depth).mapToObj(i -> TransformerBlock.of(w.at("transformer_blocks." + i), channels, context,
                        heads)).toList(),
                linear ? Linear.of(w.at("proj_out"), channels, channels)
                : Linear.convolution(w.at("proj_out"), channels, channels));
    }

    /** Traces x [B,H,W,C] and context [B,M,C'] to [B,H,W,C]. */
    public Value apply(Tracer t, Value x, Value context) {
        Value h = projIn.apply(t, norm.apply(t, x));
        h = t.reshape(h, Shape.of(x.dim(0), x.dim(1) * x.dim(2), x.dim(3))); // [B,N,C]
        for (TransformerBlock block : blocks) {
            h = block.apply(t, h, context);
        }
        return t.add(x, t.reshape(projOut.apply(t, h), x.shape()));
    }
}
