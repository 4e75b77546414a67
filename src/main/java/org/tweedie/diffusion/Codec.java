// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** Pixels to the latents that the diffusion works on, and back. */
public interface Codec {
    /** image [B,H,W,3] in [-1,1] to z [B,h,w,c], scaled. */
    Value encode(Tracer t, Value image);

    /** z [B,h,w,c], scaled, to image [B,H,W,3], not clamped. */
    Value decode(Tracer t, Value z);

    /** The latent's shape for pictures of a shape. @throws IllegalArgumentException when the size does not fit */
    Shape latent(Shape image);
}
