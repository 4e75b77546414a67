// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A denoiser whose text may be an input of a program instead of a constant, so that the prediction can be differentiated with
 * respect to the text. A method that tunes the prompt needs it.
 */
public interface PromptedDenoiser extends Denoiser {
    /** The text that {@link #eps(Tracer, Value, NoiseLevel.Traced)} uses: the prompt's hidden states [1,N,C]. */
    Tensor text();

    /**
     * Traces the noise eps [B,h,w,c] in z [B,h,w,c] at one noise level for a text [1,N,C] of the shape of {@link #text}. With
     * guidance the text takes the place of the prompt, and the negative text stays.
     */
    Value eps(Tracer t, Value z, NoiseLevel.Traced level, Value text);
}
