// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * Predicts the noise in a latent, which is a solver's prior. Text, guidance and prediction type are fixed when it is made.
 */
public interface Denoiser {
    /** Traces the noise eps [B,h,w,c] in z [B,h,w,c] at one noise level; the score is -eps / sigma. */
    Value eps(Tracer t, Value z, NoiseLevel.Traced level);

    /** The number of network evaluations for the prediction of one sample: 2 with classifier-free guidance, else 1. */
    int evaluations();
}
