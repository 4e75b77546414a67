// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** Converts pictures to the latents that the diffusion works on, and back. */
public interface Codec {
    /** Traces the encoder: image [B,H,W,3] in [-1,1] to the scaled latent z [B,h,w,c]. */
    Value encode(Tracer t, Value image);

    /** Traces the decoder: the scaled latent z [B,h,w,c] to image [B,H,W,3], not clamped. */
    Value decode(Tracer t, Value z);

    /** Returns the latent's shape for pictures of a shape. @throws IllegalArgumentException when the size does not fit */
    Shape latent(Shape image);
}
