// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Device;
import org.tweedie.device.DeviceOptions;
import org.tweedie.device.Devices;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/**
 * Compares networks and their derivatives with diffusers and transformers, on tiny models of both generations
 * (weights-tools/golden).
 */
class GoldenTest {
    static final double FORWARD = 1e-5;
    static final double DERIVATIVE = 1e-4;

    static Stream<Arguments> tiny() {
        return Stream.of(Golden.SD15, Golden.SD21).flatMap(f -> Devices.available().stream().map(d -> Arguments.of(f, d)));
    }

    /** Opens a device, in F32 if it offers several types. */
    private static Device open(String name) {
        return Devices.open(name, new DeviceOptions(2, DType.F32, true, 0, null, false));
    }

    static void close(String what, Tensor got, Tensor golden, double tolerance) {
        double d = Golden.distance(got, golden);
        System.out.printf("golden: %-40s %.1e%n", what, d);
        assertTrue(d <= tolerance, what + ": relative distance " + d + " from the golden values is over " + tolerance);
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void textEncoder(Path folder, String device) throws Exception {
        try (Golden g = new Golden(folder); Device d = open(device)) {
            Tensor ids = g.raw("input_ids");
            Tensor out = Golden.run(d, g.textProgram(ids.shape()), Map.of("input_ids", ids)).get("last_hidden_state");
            close(device + " " + folder.getFileName() + " text encoder", out, g.raw("last_hidden_state"), FORWARD);
        }
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void unet(Path folder, String device) throws Exception {
        try (Golden g = new Golden(folder); Device d = open(device)) {
            Tensor sample = g.image("unet.sample");
            Map<String, Tensor> in = new HashMap<>(Map.of("sample", sample, "timestep", Tensor.of(g.raw("unet.timestep").shape(),
                    g.raw("unet.timestep").doubles()), "encoder_hidden_states", g.raw("unet.encoder_hidden_states")));
            Program f = g.unetProgram(sample.shape(), 77);
            close(device + " " + folder.getFileName() + " unet", Golden.run(d, f, in).get("out_sample"),
                    g.image("unet.out_sample"), FORWARD);
            Program vjp = Vjp.of(f, "out_sample", "sample");
            in.put("cotangent", g.image("unet.cotangent"));
            close(device + " " + folder.getFileName() + " unet vjp", Golden.run(d, vjp, in).get("grad"), g.image("unet.grad"),
                    DERIVATIVE);
            in.put("tangent", g.image("unet.tangent"));
            close(device + " " + folder.getFileName() + " unet jvp(vjp)", Golden.run(d, Jvp.of(vjp, "sample", "grad"), in)
                    .get("jvp"), g.image("unet.hvp"), DERIVATIVE);
            in.remove("cotangent");
            close(device + " " + folder.getFileName() + " unet jvp", Golden.run(d, Jvp.of(f, "sample", "out_sample"), in)
                    .get("jvp"), g.image("unet.jvp"), DERIVATIVE);
        }
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void encode(Path folder, String device) throws Exception {
        try (Golden g = new Golden(folder); Device d = open(device)) {
            Program f = g.encodeProgram(g.image("encode.image").shape());
            Map<String, Tensor> out = Golden.run(d, f, Map.of("image", g.image("encode.image")));
            close(device + " " + folder.getFileName() + " encode mean", out.get("mean"), g.image("encode.mean"), FORWARD);
            close(device + " " + folder.getFileName() + " encode logvar", out.get("logvar"), g.image("encode.logvar"), FORWARD);
            derivatives(device, folder, g, d, f, "encode", "image", "mean");
        }
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void decode(Path folder, String device) throws Exception {
        try (Golden g = new Golden(folder); Device d = open(device)) {
            Program f = g.decodeProgram(g.image("decode.latent").shape());
            close(device + " " + folder.getFileName() + " decode", Golden.run(d, f, Map.of("latent", g.image("decode.latent")))
                    .get("image"), g.image("decode.image"), FORWARD);
            derivatives(device, folder, g, d, f, "decode", "latent", "image");
        }
    }

    /**
     * Ten DDIM steps with guidance 3 agree with diffusers' DDIMScheduler: this covers the schedule, the prediction type and
     * the guidance.
     */
    @ParameterizedTest
    @MethodSource("tiny")
    void ddim(Path folder, String device) throws Exception {
        try (Golden g = new Golden(folder); Device d = open(device)) {
            NoiseSchedule schedule = new NoiseSchedule(g.checkpoint.module("scheduler").config());
            assertArrayEquals(g.raw("ddim.timesteps").longs(), schedule.levels(10).stream().mapToLong(l -> (long) l.timestep())
                    .toArray());
            Denoiser denoiser = new LatentDenoiser(g.unet(), schedule.prediction(), g.raw("ddim.cond"), g.raw("ddim.uncond"), 3);
            Tensor z = Golden.ddim(d, schedule, denoiser, g.image("ddim.start"), 10);
            close(device + " " + folder.getFileName() + " 10 DDIM steps", z, g.image("ddim.latents"), FORWARD);
        }
    }

    private static void derivatives(String device, Path folder, Golden g, Device d, Program f, String module, String input,
            String output) {
        Map<String, Tensor> in = Map.of(input, g.image(module + "." + input));
        Map<String, Tensor> vjp = new HashMap<>(in);
        vjp.put("cotangent", g.image(module + ".cotangent"));
        close(device + " " + folder.getFileName() + " " + module + " vjp",
                Golden.run(d, Vjp.of(f, output, input), vjp).get("grad"), g.image(module + ".grad"), DERIVATIVE);
        Map<String, Tensor> jvp = new HashMap<>(in);
        jvp.put("tangent", g.image(module + ".tangent"));
        close(device + " " + folder.getFileName() + " " + module + " jvp",
                Golden.run(d, Jvp.of(f, input, output), jvp).get("jvp"), g.image(module + ".jvp"), DERIVATIVE);
    }
}
