// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.diffusion.Conditioning;
import org.tweedie.diffusion.Listener;
import org.tweedie.image.Image;
import org.tweedie.model.Golden;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Samplers;
import org.tweedie.solve.Solvers;

/** The public entry, on the tiny model with random weights. */
class ModelTest {
    private static Tensor normal(long index, int... shape) {
        return new Philox(1, Philox.Stream.INIT).normals(1000 * index, Shape.of(shape));
    }

    private static double dot(Tensor x, Tensor y) {
        double sum = 0;
        for (long i = 0; i < x.size(); i++) {
            sum += x.get(i) * y.get(i);
        }
        return sum;
    }

    private static Tensor moved(Tensor x, double h, Tensor along) {
        double[] out = x.doubles();
        for (int i = 0; i < out.length; i++) {
            out[i] += h * along.get(i);
        }
        return Tensor.of(x.shape(), out);
    }

    /** The three derivatives agree with each other and with differences, in double. */
    @Test
    void derivativesOfTheUnetAgree() throws Exception {
        try (Device device = Tweedie.device("reference"); Model model = Tweedie.open(Golden.SD15, device)) {
            Network unet = model.unet();
            Map<String, Tensor> in = new HashMap<>(Map.of("sample", normal(0, 1, 4, 8, 8), "timestep", Tensor.of(Shape.of(1),
                    501f),
                    "encoder_hidden_states", model.prompt("a hat")));
            Tensor t = normal(1, 1, 4, 8, 8);
            Tensor c = normal(2, 1, 4, 8, 8);
            assertEquals(dot(c, unet.jvp(in, t)), dot(unet.vjp(in, c), t), 1e-9);
            double h = 1e-4;
            Map<String, Tensor> plus = new HashMap<>(in);
            plus.put("sample", moved(in.get("sample"), h, t));
            Map<String, Tensor> minus = new HashMap<>(in);
            minus.put("sample", moved(in.get("sample"), -h, t));
            double slope = (dot(unet.vjp(plus, c), t) - dot(unet.vjp(minus, c), t)) / (2 * h);
            double curvature = dot(unet.hvp(in, c, t), t);
            assertEquals(slope, curvature, 1e-5 * (1 + Math.abs(slope)));
        }
    }

    @Test
    void wrongInputsAreNamed() throws Exception {
        try (Device device = Tweedie.device("cpu"); Model model = Tweedie.open(Golden.SD15, device)) {
            Tensor z = normal(0, 1, 4, 8, 8);
            fails("decode: tensor 'latent' [B,4,h,w] is missing; there are sample", () -> model.decoder().run(Map.of("sample",
                    z)));
            fails("decode: tensor 'latent' expected [B,4,h,w], got F32[1,3,8,8]", () -> model.decoder().run(Map.of("latent",
                    normal(0, 1, 3, 8, 8))));
            fails("decode: unknown inputs [more]; it takes [latent]", () -> model.decoder().run(Map.of("latent", z, "more", z)));
            fails("'cotangent' expected", () -> model.decoder().vjp(Map.of("latent", z), z));
            fails("text_encoder: it has no floating-point input", () -> model.textEncoder().vjp(Map.of(), z));
            fails("image side 100 is not a multiple of", () -> model.session(100, 96));
            fails("guidance: expected 0 or more", () -> new Conditioning("", "", -1));
            try (Session session = model.session(32, 48)) {
                fails("picture: expected 48x32, the size of the session, got 16x16", () -> session.measure(new Image(16, 16,
                        new float[768]), "sr:2", 0.1, 1));
            }
        }
    }

    private static void fails(String start, org.junit.jupiter.api.function.Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(start) && !message.contains("\n"), message);
    }

    /** Guidance leads away from the negative text; with guidance 1 it is not used. The same seed gives the same picture. */
    @Test
    void theNegativeTextChangesGuidedPictures() throws Exception {
        try (Device device = Tweedie.device("cpu"); Model model = Tweedie.open(Golden.SD15, device)) {
            float[] plain = drawn(model, new Conditioning("a hat", "", 3));
            assertArrayEquals(plain, drawn(model, new Conditioning("a hat", "", 3)));
            assertTrue(!java.util.Arrays.equals(plain, drawn(model, new Conditioning("a hat", "blurry", 3))));
            assertArrayEquals(drawn(model, new Conditioning("a hat", "", 1)), drawn(model, new Conditioning("a hat", "blurry",
                    1)));
        }
    }

    private static float[] drawn(Model model, Conditioning text) throws Exception {
        try (Session session = model.session(32, 32, text)) {
            return session.generate(Samplers.of("euler"), 3, 1, Listener.NONE).image().floats();
        }
    }

    /** Every solver restores through the same session, and nothing of it is alive after it is closed. */
    @Test
    void everySolverRestoresInOneSession() throws Exception {
        try (Device device = Tweedie.device("cpu")) {
            try (Model model = Tweedie.open(Golden.SD15, device); Session session = model.session(32, 32)) {
                var y = session.measure(new Image(32, 32, normal(3, 3072).floats()), "sr:2", 0.1, 1);
                for (String solver : Solvers.names()) {
                    assertEquals(Shape.of(1, 32, 32, 3), session.restore(y, Solvers.of(solver, Map.of("steps", "2"))).image()
                            .shape());
                }
            }
            assertEquals(0, device.liveBytes());
        }
    }
}
