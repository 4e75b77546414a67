// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.model.Autoencoder;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A Stable Diffusion autoencoder with its scaling factor. It encodes a picture to the posterior's mean.
 *
 * @param stride the number that the UNet requires to divide the sides of latents
 */
public record LatentCodec(Autoencoder vae, int stride) implements Codec {
    @Override
    public Value encode(Tracer t, Value image) {
        return t.scale(vae.encode(t, image).mean(), vae.scalingFactor());
    }

    @Override
    public Value decode(Tracer t, Value z) {
        return vae.decode(t, t.scale(z, 1 / vae.scalingFactor()));
    }

    @Override
    public Shape latent(Shape image) {
        int side = vae.factor() * stride;
        for (int axis = 1; axis <= 2; axis++) {
            int n = image.dim(axis);
            if (n % side != 0 || n == 0) {
                int less = n / side * side;
                throw new IllegalArgumentException("image side " + n + " is not a multiple of " + side + "; "
                        + (less > 0 ? "crop to " + less + " or " : "") + "pad to " + (less + side));
            }
        }
        return Shape.of(image.dim(0), image.dim(1) / vae.factor(), image.dim(2) / vae.factor(), vae.latentChannels());
    }
}
