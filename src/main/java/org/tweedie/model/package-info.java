// SPDX-License-Identifier: Apache-2.0
/**
 * This package holds the networks of Stable Diffusion 1.x and 2.x, each built from its config.json and from weights by
 * checkpoint name: {@code UNet}, {@code Autoencoder}, {@code ClipText} and the {@code Tokenizer}. {@code StableDiffusion}
 * opens a checkpoint folder.
 *
 * <p>The command line and {@code diffusion} may depend on this package; solvers may not. It traces programs and depends on no
 * device.
 */
package org.tweedie.model;
