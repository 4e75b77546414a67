// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** The prior of a solver: predicts the noise in a latent. Text, guidance and prediction type are bound inside. */
public interface Denoiser {
    /** z [B,h,w,c] at one noise level to eps [B,h,w,c]; the score is -eps / sigma. */
    Value eps(Tracer t, Value z, NoiseLevel.Traced level);

    /** Network evaluations that one prediction for one sample costs: 2 with classifier-free guidance. */
    int evaluations();
}
