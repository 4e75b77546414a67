// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.Folds;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.model.Golden;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.DirectionCheck;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/** Tests the text of a UNet as an input of its programs, on the tiny model. */
class PromptedDenoiserTest {
    private static final Shape LATENT = Shape.of(1, 4, 4, 4);

    private static LatentDenoiser denoiser(Golden g, double guidance) throws IOException {
        Shape text = Shape.of(1, 7, g.unet().contextWidth());
        return new LatentDenoiser(g.unet(), NoiseSchedule.Prediction.EPSILON, OpCase.random(text, 1), OpCase.random(text, 2),
                guidance);
    }

    private static Program program(LatentDenoiser d, boolean asInput) {
        Tracer t = new Tracer("eps");
        Value z = t.input("z", Type.real(LATENT));
        NoiseLevel.Traced level = NoiseLevel.inputs(t, "");
        t.output("eps", asInput ? d.eps(t, z, level, t.input("text", Type.real(d.text().shape()))) : d.eps(t, z, level));
        return Simplify.of(t.finish());
    }

    private static Map<String, Tensor> inputs() {
        Map<String, Tensor> in = new HashMap<>(new NoiseLevel(400, 0.42).tensors(""));
        in.put("z", OpCase.random(LATENT, 3));
        return in;
    }

    /** The prompt's text as an input gives what it gives as a constant; another text gives something else. */
    @ParameterizedTest
    @ValueSource(doubles = {1, 3})
    void theTextMayBeAnInput(double guidance) throws IOException {
        try (Golden g = new Golden(Golden.SD15)) {
            LatentDenoiser d = denoiser(g, guidance);
            Program p = program(d, true);
            double[] expected = DirectionCheck.run(program(d, false), inputs()).get("eps").doubles();
            assertArrayEquals(expected, DirectionCheck.run(p, DirectionCheck.with(inputs(), "text", d.text())).get("eps")
                    .doubles(), 1e-12);
            double[] other = DirectionCheck.run(p, DirectionCheck.with(inputs(), "text", d.empty())).get("eps").doubles();
            double gap = 0;
            for (int i = 0; i < other.length; i++) {
                gap = Math.max(gap, Math.abs(other[i] - expected[i]));
            }
            assertTrue(gap > 1e-4, "the text makes no difference");
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 3})
    void theDerivativeGoesToTheText(double guidance) throws IOException {
        try (Golden g = new Golden(Golden.SD15)) {
            LatentDenoiser d = denoiser(g, guidance);
            DirectionCheck.first(program(d, true), DirectionCheck.with(inputs(), "text", d.text()), "text", "eps", 1e-6);
        }
    }

    /** Parts that are computed once never contain an input: with the same folds, a second text gives its own prediction. */
    @Test
    void foldsLeaveTheInputAlone() throws IOException {
        try (Golden g = new Golden(Golden.SD15); ReferenceDevice device = new ReferenceDevice()) {
            LatentDenoiser d = denoiser(g, 1);
            Folds folds = new Folds();
            folds.apply(device, program(d, false));
            int runs = folds.runs();
            assertTrue(runs > 0, "the constant text is folded");
            Program pullBack = Vjp.of(program(d, true), "eps", "text");
            Program folded = folds.apply(device, pullBack);
            assertEquals(runs, folds.runs(), "with the text as an input there is nothing to fold");
            for (Tensor text : new Tensor[] {d.text(), d.empty()}) {
                Map<String, Tensor> in = DirectionCheck.with(inputs(), "text", text);
                in.put("cotangent", OpCase.random(LATENT, 4));
                Map<String, Tensor> expected = DirectionCheck.run(pullBack, in);
                Map<String, Tensor> got = DirectionCheck.run(folded, in);
                for (String name : expected.keySet()) {
                    assertArrayEquals(expected.get(name).doubles(), got.get(name).doubles(), 1e-12, name);
                }
            }
        }
    }
}
