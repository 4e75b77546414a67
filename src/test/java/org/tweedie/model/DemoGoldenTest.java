// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import static org.tweedie.model.GoldenTest.DERIVATIVE;
import static org.tweedie.model.GoldenTest.FORWARD;
import static org.tweedie.model.GoldenTest.close;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.cpu.CpuDevice;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/** Compares the demo model on the CPU device with the golden values that its training scripts wrote with PyTorch. */
class DemoGoldenTest {
    private static Tensor rows(Tensor x, int from, int to) {
        int row = (int) (x.size() / x.shape().dim(0));
        return Tensor.of(x.shape().with(0, to - from), java.util.Arrays.copyOfRange(x.doubles(), from * row, to * row));
    }

    @Test
    void textEncoder() throws Exception {
        try (Golden g = new Golden(Golden.DEMO); Device d = new CpuDevice(2)) {
            Tensor ids = g.raw("prompt.ids");
            Tensor out = Golden.run(d, g.textProgram(ids.shape()), Map.of("input_ids", ids)).get("last_hidden_state");
            close("demo text encoder", out, g.raw("prompt.embeddings"), FORWARD);
        }
    }

    @Test
    void unet() throws Exception {
        try (Golden g = new Golden(Golden.DEMO); Device d = new CpuDevice(2)) {
            Tensor z = g.image("unet.z");
            Tensor text = g.raw("prompt.embeddings");
            Program f = g.unetProgram(z.shape(), 77);
            Tensor eps = g.raw("unet.eps"); // [timestep, prompt, 4, 16, 16]
            try (var e = d.compile(f)) {
                for (int i = 0; i < 5; i++) {
                    for (int p = 0; p < 2; p++) {
                        Tensor golden = rows(eps.reshape(10, 4, 16, 16), 2 * i + p, 2 * i + p + 1);
                        Tensor time = Tensor.of(Shape.of(1), new double[] {g.raw("unet.timesteps").get(i)});
                        Tensor got = e.run(Map.of("sample", z, "timestep", time, "encoder_hidden_states", rows(text, p, p + 1)))
                                .get("out_sample");
                        close("demo unet, t=" + (long) time.get(0) + ", prompt " + p, got, Golden.nhwc(golden), FORWARD);
                    }
                }
            }
            Map<String, Tensor> in = new HashMap<>(Map.of("sample", z, "timestep", Tensor.of(Shape.of(1), 501f),
                    "encoder_hidden_states", rows(text, 0, 1)));
            in.put("cotangent", g.image("unet.cotangent"));
            close("demo unet vjp", Golden.run(d, Vjp.of(f, "out_sample", "sample"), in).get("grad"), g.image("unet.grad_z"),
                    DERIVATIVE);
            in.remove("cotangent");
            in.put("tangent", g.image("unet.direction"));
            close("demo unet jvp", Golden.run(d, Jvp.of(f, "sample", "out_sample"), in).get("jvp"), g.image("unet.jvp"),
                    DERIVATIVE);
        }
    }

    @Test
    void autoencoder() throws Exception {
        try (Golden g = new Golden(Golden.DEMO); Device d = new CpuDevice(2)) {
            Tensor x = g.image("vae.image");
            Program encode = g.encodeProgram(x.shape());
            Map<String, Tensor> out = Golden.run(d, Vjp.of(encode, "mean", "image"),
                    Map.of("image", x, "cotangent", g.image("vae.encode_cotangent")));
            close("demo encode mean", out.get("mean"), g.image("vae.mean"), FORWARD);
            close("demo encode logvar", out.get("logvar"), g.image("vae.logvar"), FORWARD);
            close("demo encode vjp", out.get("grad"), g.image("vae.encode_grad_x"), DERIVATIVE);
            Tensor mean = g.image("vae.mean");
            out = Golden.run(d, Vjp.of(g.decodeProgram(mean.shape()), "image", "latent"),
                    Map.of("latent", mean, "cotangent", g.image("vae.decode_cotangent")));
            close("demo decode", out.get("image"), g.image("vae.decoded"), FORWARD);
            close("demo decode vjp", out.get("grad"), g.image("vae.decode_grad_z"), DERIVATIVE);
        }
    }

    @Test
    void ddim() throws Exception {
        try (Golden g = new Golden(Golden.DEMO); Device d = new CpuDevice(2)) {
            NoiseSchedule schedule = new NoiseSchedule(g.checkpoint.module("scheduler").config());
            Tensor text = g.raw("prompt.embeddings");
            UNet unet = g.unet();
            Denoiser denoiser = new LatentDenoiser(unet, schedule.prediction(), rows(text, 0, 1), rows(text, 1, 2), 3);
            Tensor z = Golden.ddim(d, schedule, denoiser, g.image("ddim.start"), 10);
            close("demo 10 DDIM steps", z, g.image("ddim.latents"), FORWARD);
            LatentCodec codec = new LatentCodec(g.vae(), unet.stride());
            var t = new org.tweedie.program.Tracer("decode");
            t.output("image", codec.decode(t, t.input("z", org.tweedie.program.Type.real(z.shape()))));
            close("demo sampled picture", Golden.run(d, t.finish(), Map.of("z", z)).get("image"), g.image("ddim.image"), FORWARD);
        }
    }
}
