// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.device.cpu.CpuDevice;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.model.Golden;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.MatMul;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/** Denoisers whose text is known, with the text's part computed once. */
class FoldsTest {
    private static final Shape LATENT = Shape.of(1, 4, 4, 4);
    private static final NoiseLevel LEVEL = new NoiseLevel(400, 0.42);

    private static Program eps(Denoiser denoiser) {
        Tracer t = new Tracer("eps");
        Value z = t.input("z", Type.real(LATENT));
        t.output("eps", denoiser.eps(t, z, NoiseLevel.inputs(t, "")));
        return Simplify.of(t.finish());
    }

    private static Denoiser denoiser(Golden g, double guidance) throws IOException {
        int width = g.unet().contextWidth();
        return new LatentDenoiser(g.unet(), NoiseSchedule.Prediction.EPSILON, OpCase.random(Shape.of(1, 7, width), 1),
                OpCase.random(Shape.of(1, 7, width), 2),
                guidance);
    }

    private static long products(Program p) {
        return p.body().stream().filter(i -> i.op() instanceof MatMul).count();
    }

    /** Keys and values of each cross-attention are gone; two more programs of the denoiser, one its pull-back, need no run. */
    @Test
    void keysAndValuesOfTheTextAreComputedOnce() throws Exception {
        try (Golden g = new Golden(Golden.DEMO); Device d = new CpuDevice(2)) {
            Denoiser denoiser = denoiser(g, 1);
            Folds folds = new Folds();
            Program p = eps(denoiser);
            long layers = p.body().stream().filter(i -> i.where().endsWith("attn2.to_k")).filter(i -> i.op() instanceof MatMul)
                    .count();
            assertTrue(layers > 2, "cross-attentions: " + layers);
            Program folded = folds.apply(d, p);
            assertEquals(products(p) - 2 * layers, products(folded));
            assertEquals(1, folds.runs());
            assertEquals(products(folded), products(folds.apply(d, eps(denoiser))));
            Program pullBack = Vjp.of(p, "eps", "z");
            assertEquals(products(pullBack) - 2 * layers, products(folds.apply(d, pullBack)));
            assertEquals(1, folds.runs());
            folds.apply(d, eps(denoiser(g, 1)));
            assertEquals(2, folds.runs(), "another text");
        }
    }

    @Test
    void resultsStayTheSame() throws Exception {
        try (Golden g = new Golden(Golden.SD15); Device cpu = new CpuDevice(2)) {
            Folds folds = new Folds();
            Map<String, Tensor> in = new HashMap<>(LEVEL.tensors(""));
            in.put("z", OpCase.random(LATENT, 3));
            in.put("cotangent", OpCase.random(LATENT, 4));
            for (double guidance : new double[] {1, 3}) {
                same(cpu, folds, Vjp.of(eps(denoiser(g, guidance)), "eps", "z"), in, 1e-6);
            }
        }
    }

    /** A result is kept for the device that computed it, because devices differ in precision. */
    @Test
    void eachDeviceHasItsOwnResults() {
        Tracer t = new Tracer("product");
        Value w = t.constant("w", OpCase.random(Shape.of(13, 13), 1));
        t.output("y", t.add(t.input("x", Type.real(13, 13)), t.matmul(w, w, false, true)));
        Program p = t.finish();
        Folds folds = new Folds();
        try (Device cpu = new CpuDevice(2); Device reference = new ReferenceDevice()) {
            same(cpu, folds, p, Map.of("x", OpCase.random(Shape.of(13, 13), 2)), 1e-6);
            same(reference, folds, p, Map.of("x", OpCase.random(Shape.of(13, 13), 2)), 0);
            assertEquals(2, folds.runs());
        }
    }

    private static void same(Device d, Folds folds, Program p, Map<String, Tensor> in, double tolerance) {
        Map<String, Tensor> expected = Golden.run(d, p, in);
        Map<String, Tensor> got = Golden.run(d, folds.apply(d, p), in);
        expected.forEach((name, y) -> Conformance.assertClose(y, got.get(name), tolerance, d.name() + ", " + name));
    }
}
