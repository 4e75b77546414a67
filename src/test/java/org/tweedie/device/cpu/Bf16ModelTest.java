// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.PlainBf16;
import org.tweedie.model.Golden;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/** Tests whole networks and their derivatives in BF16 on the processor. */
class Bf16ModelTest {
    /** The bound on the distance from PyTorch, as for the GPU. */
    private static final double GOLDEN = 6e-2;
    /** The bound on the distance from F32 on the demo model, as for the GPU. */
    private static final double DEMO = 1e-2;
    /** The error budget: how many times as far from double as plain evaluation in BF16 a result may be. */
    private static final double PLAIN = 2;

    private static CpuDevice single;
    private static CpuDevice brain;

    @BeforeAll
    static void open() {
        single = new CpuDevice(2);
        brain = new CpuDevice(2, DType.BF16, null);
    }

    @AfterAll
    static void close() {
        for (CpuDevice d : new CpuDevice[] {single, brain}) {
            assertEquals(0, d.liveBytes());
            d.close();
        }
    }

    static Path[] tiny() {
        return new Path[] {Golden.SD15, Golden.SD21};
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void textEncoderAgreesWithTransformers(Path folder) throws Exception {
        try (Golden g = new Golden(folder)) {
            Tensor ids = g.raw("input_ids");
            golden(folder, "text encoder", g.textProgram(ids.shape()), Map.of("input_ids", ids), "last_hidden_state",
                    g.raw("last_hidden_state"));
        }
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void unetAgreesWithPytorch(Path folder) throws Exception {
        try (Golden g = new Golden(folder)) {
            Map<String, Tensor> in = new HashMap<>(Map.of("timestep", Tensor.of(g.raw("unet.timestep").shape(),
                    g.raw("unet.timestep").doubles()), "encoder_hidden_states", g.raw("unet.encoder_hidden_states")));
            Program f = g.unetProgram(g.image("unet.sample").shape(), 77);
            golden(folder, g, f, "unet", "sample", "out_sample", in);
            in.put("cotangent", g.image("unet.cotangent"));
            in.put("tangent", g.image("unet.tangent"));
            golden(folder, "unet jvp(vjp)", Jvp.of(Vjp.of(f, "out_sample", "sample"), "sample", "grad"), in, "jvp",
                    g.image("unet.hvp"));
        }
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void autoencoderAgreesWithPytorch(Path folder) throws Exception {
        try (Golden g = new Golden(folder)) {
            golden(folder, g, g.decodeProgram(g.image("decode.latent").shape()), "decode", "latent", "image", new HashMap<>());
            golden(folder, g, g.encodeProgram(g.image("encode.image").shape()), "encode", "image", "mean", new HashMap<>());
        }
    }

    /** Forward, pull-back and push-forward. */
    private static void golden(Path folder, Golden g, Program f, String module, String x, String y, Map<String, Tensor> in) {
        in.put(x, g.image(module + "." + x));
        golden(folder, module, f, in, y, g.image(module + "." + y));
        in.put("cotangent", g.image(module + ".cotangent"));
        golden(folder, module + " vjp", Vjp.of(f, y, x), in, "grad", g.image(module + ".grad"));
        in.remove("cotangent");
        in.put("tangent", g.image(module + ".tangent"));
        golden(folder, module + " jvp", Jvp.of(f, x, y), in, "jvp", g.image(module + ".jvp"));
    }

    private static void golden(Path folder, String what, Program program, Map<String, Tensor> in, String output, Tensor golden) {
        try (CpuExecutable e = brain.compile(Simplify.of(program))) {
            double gap = Golden.distance(e.run(in).get(output), golden);
            double plain = Golden.distance(PlainBf16.run(e.program(), in).get(output), golden);
            System.out.printf("bf16: %-9s %-13s %.1e from PyTorch, plain evaluation %.1e%n", folder.getFileName(), what, gap,
                    plain);
            assertTrue(gap <= GOLDEN, what + ": relative distance " + gap);
            assertTrue(gap <= PLAIN * plain, what + ": relative distance " + gap + ", of plain evaluation " + plain);
        }
    }

    @Test
    void demoModelAgreesWithF32() throws Exception {
        Shape latent = Shape.of(1, 16, 16, 4);
        Shape picture = Shape.of(1, 128, 128, 3);
        try (Golden g = new Golden(Golden.DEMO)) {
            Program unet = g.unetProgram(latent, 77);
            Map<String, Tensor> in = new HashMap<>();
            in.put("timestep", Tensor.of(Shape.of(1), 501f));
            in.put("encoder_hidden_states", OpCase.random(unet.input("encoder_hidden_states").shape(), 2));
            demo("unet", unet, "sample", "out_sample", in, OpCase.random(latent, 1));
            demo("decode", g.decodeProgram(latent), "latent", "image", new HashMap<>(), OpCase.random(latent, 3));
            demo("encode", g.encodeProgram(picture), "image", "mean", new HashMap<>(), OpCase.random(picture, 4));
        }
    }

    private static void demo(String name, Program f, String x, String y, Map<String, Tensor> in, Tensor at) {
        in.put(x, at);
        demo(name, Simplify.of(f), in);
        in.put("cotangent", OpCase.random(f.output(y).shape(), 5));
        demo(name + " vjp", Simplify.of(Vjp.of(f, y, x)), in);
        in.remove("cotangent");
        in.put("tangent", OpCase.random(f.input(x).shape(), 6));
        demo(name + " jvp", Simplify.of(Jvp.of(f, x, y)), in);
    }

    private static void demo(String name, Program p, Map<String, Tensor> in) {
        Map<String, Tensor> expected = Golden.run(single, p, in);
        Golden.run(brain, p, in).forEach((output, got) -> {
            double gap = Conformance.distance(expected.get(output), got);
            System.out.printf("bf16: demo %-11s %-10s %.1e from F32%n", name, output, gap);
            assertTrue(gap <= DEMO, name + ", " + output + ": relative distance " + gap);
        });
    }
}
