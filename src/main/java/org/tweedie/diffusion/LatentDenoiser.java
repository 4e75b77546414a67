// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.model.UNet;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Guidance;

/**
 * A Stable Diffusion UNet with its texts, guidance and prediction type.
 *
 * @param text hidden states of the prompt [1,77,C]
 * @param empty hidden states of the empty prompt; not used when guidance is 1
 * @param guidance the scale of classifier-free guidance: eps = eps(empty) + guidance (eps(text) - eps(empty)), arXiv
 *         2207.12598
 */
public record LatentDenoiser(UNet unet, NoiseSchedule.Prediction prediction, Tensor text, Tensor empty, double guidance)
        implements PromptedDenoiser {
    @Override
    public Value eps(Tracer t, Value z, NoiseLevel.Traced level) {
        return eps(t, z, level, t.constant("text", text));
    }

    @Override
    public Value eps(Tracer t, Value z, NoiseLevel.Traced level, Value text) {
        int b = z.dim(0);
        Value context = repeat(t, text, b); // [B,77,C]
        if (guidance == 1) {
            return predict(t, z, level, context);
        }
        // [2B,h,w,c]
        Value both = predict(t, t.concat(0, z, z), level, t.concat(0, repeat(t, t.constant("empty", empty), b), context));
        return t.emit1(new Guidance(guidance), both);
    }

    private static Value repeat(Tracer t, Value context, int b) {
        return t.broadcast(context, context.shape().with(0, b));
    }

    private Value predict(Tracer t, Value z, NoiseLevel.Traced level, Value context) {
        Value out = unet.apply(t, z, t.broadcast(level.timestep(), Shape.of(z.dim(0))), context);
        return switch (prediction) {
            case EPSILON -> out;
            case V -> t.add(t.mul(out, level.sqrtAbar()), t.mul(z, level.sigma())); // eps = sqrt(abar) v + sigma z
        };
    }

    @Override
    public int evaluations() {
        return guidance == 1 ? 1 : 2;
    }
}
