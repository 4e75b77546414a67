// SPDX-License-Identifier: Apache-2.0
/**
 * This package holds the noise schedule, the DDIM step and the Tweedie mean. {@code Denoiser} and {@code Codec} are the
 * interfaces through which a solver uses a model.
 *
 * <p>Solvers, measurements and the command line may depend on this package.
 */
package org.tweedie.diffusion;
