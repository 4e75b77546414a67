// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.Arrays;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A prior of independent pixels N(m, std^2) whose mean m depends on the text: for a text [1,N,3] it is the sum over the tokens,
 * one number for each colour. Its noise prediction is sigma (z - sqrt(abar) m) / (abar std^2 + sigma^2).
 */
public record PromptedPrior(Tensor text, double std) implements PromptedDenoiser {
    @Override
    public Value eps(Tracer t, Value z, NoiseLevel.Traced level) {
        return eps(t, z, level, t.constant("text", text));
    }

    @Override
    public Value eps(Tracer t, Value z, NoiseLevel.Traced level, Value text) {
        int tokens = text.dim(1);
        double[] ones = new double[tokens];
        Arrays.fill(ones, 1);
        Value sum = t.matmul(t.constant("ones", Tensor.of(Shape.of(1, 1, tokens), ones)), text, false, false); // [1,1,3]
        Value mean = t.reshape(sum, Shape.of(1, 1, 1, 3));
        Value abar = t.mul(level.sqrtAbar(), level.sqrtAbar());
        Value v = t.add(t.scale(abar, std * std), t.mul(level.sigma(), level.sigma()));
        Value away = t.sub(z, t.mul(level.sqrtAbar(), mean));
        return t.div(t.mul(away, level.sigma()), v);
    }

    @Override
    public int evaluations() {
        return 1;
    }
}
