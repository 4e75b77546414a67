// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Conformance;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.OpCase;
import org.tweedie.device.cpu.CpuDevice;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.PromptGradient;
import org.tweedie.inverse.Surrogate;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.model.Golden;
import org.tweedie.model.UNet;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/** Whole networks of the demo model as lowered for a GPU, against the CPU device: lowering, memory plan and kernels together. */
class SimModelTest {
    private static final double TOLERANCE = 1e-4;
    /** About three times what was seen (docs/numerics.md). */
    private static final double HALF = 5e-3;
    private static final double BRAIN = 1e-2;
    private static final Shape LATENT = Shape.of(1, 16, 16, 4);
    private static final Shape PICTURE = Shape.of(1, 128, 128, 3);

    private static Golden golden;
    private static Device sim;
    private static Device half;
    private static Device brain;
    private static Device cpu;

    @BeforeAll
    static void open() throws Exception {
        golden = new Golden(Golden.DEMO);
        sim = new SimDevice(2);
        half = new SimDevice(2, DType.F16, MachineOptions.running(2));
        brain = new SimDevice(2, DType.BF16, MachineOptions.running(2));
        cpu = new CpuDevice(2);
    }

    @AfterAll
    static void close() {
        for (Device d : List.of(sim, half, brain)) {
            assertEquals(0, d.liveBytes());
            d.close();
        }
        cpu.close();
        golden.close();
    }

    @Test
    void unet() throws Exception {
        Program f = golden.unetProgram(LATENT, 77);
        Map<String, Tensor> in = new HashMap<>();
        in.put("sample", OpCase.random(LATENT, 1));
        in.put("timestep", Tensor.of(Shape.of(1), 501f));
        in.put("encoder_hidden_states", OpCase.random(f.input("encoder_hidden_states").shape(), 2));
        all("unet", f, "sample", "out_sample", in);
        compare("unet jvp in BF16", brain, Simplify.of(Jvp.of(f, "sample", "out_sample")), in, BRAIN);
    }

    @Test
    void decoder() throws Exception {
        all("decode", golden.decodeProgram(LATENT), "latent", "image", new HashMap<>(Map.of("latent", OpCase.random(LATENT, 3))));
    }

    @Test
    void encoder() throws Exception {
        all("encode", golden.encodeProgram(PICTURE), "image", "mean", new HashMap<>(Map.of("image", OpCase.random(PICTURE, 4))));
    }

    /** Forward, pull-back and push-forward. */
    private static void all(String name, Program f, String x, String y, Map<String, Tensor> in) {
        compare(name, sim, Simplify.of(f), in, TOLERANCE);
        in.put("cotangent", OpCase.random(f.output(y).shape(), 5));
        compare(name + " vjp", sim, Simplify.of(Vjp.of(f, y, x)), in, TOLERANCE);
        in.remove("cotangent");
        in.put("tangent", OpCase.random(f.input(x).shape(), 6));
        compare(name + " jvp", sim, Simplify.of(Jvp.of(f, x, y)), in, TOLERANCE);
    }

    /** STSL's inner step in one program: both networks, the operator, the loss and its gradient. */
    @Test
    void surrogate() throws Exception {
        surrogate(Surrogate.Norm.SUM, 0.02, Map.of("surrogate", sim, "surrogate in F16", half));
    }

    /** The cotangents of a mean over 3,072 values, and of a trace with the paper's weight, would be lost in F16 as they are. */
    @Test
    void smallCotangents() throws Exception {
        surrogate(Surrogate.Norm.MEAN, 0.02 / LATENT.size(), Map.of("mean in F16", half));
        surrogate(Surrogate.Norm.NORM, 0.02 / LATENT.size(), Map.of("norm in F16", half));
    }

    private static void surrogate(Surrogate.Norm norm, double traceWeight, Map<String, Device> devices) throws Exception {
        NoiseSchedule schedule = new NoiseSchedule(golden.checkpoint.module("scheduler").config());
        NoiseLevel level = schedule.level(501);
        UNet unet = golden.unet();
        Tensor text = OpCase.random(Shape.of(1, 77, unet.contextWidth()), 7);
        MeasurementOperator a = Operators.parse("sr:4", PICTURE, 1);
        Surrogate s = new Surrogate(new LatentDenoiser(unet, schedule.prediction(), text, text, 1), new LatentCodec(golden.vae(),
                unet.stride()), a,
                norm, Surrogate.Probe.UNIT);
        Map<String, Tensor> in = new HashMap<>(Surrogate.inputs(OpCase.random(LATENT, 8), OpCase.random(a.outShape(PICTURE), 9),
                level));
        in.put("probe", OpCase.random(LATENT, 10));
        in.put("h", Tensor.scalar(s.h(level)));
        in.put("lambda", Tensor.scalar(0.7));
        in.put("trace_weight", Tensor.scalar(traceWeight));
        Program p = s.program(LATENT, PICTURE, Surrogate.Gradient.FUSED);
        devices.forEach((name, d) -> compare(name, d, p, in, d == half ? HALF : TOLERANCE));
    }

    /** P2L's gradients: the text is an input, and one of the two gradients goes to it. */
    @Test
    void promptGradient() throws Exception {
        NoiseSchedule schedule = new NoiseSchedule(golden.checkpoint.module("scheduler").config());
        UNet unet = golden.unet();
        Tensor text = OpCase.random(Shape.of(1, 77, unet.contextWidth()), 7);
        LatentDenoiser denoiser = new LatentDenoiser(unet, schedule.prediction(), text, text, 1);
        MeasurementOperator a = Operators.parse("sr:4", PICTURE, 1);
        Tensor y = OpCase.random(a.outShape(PICTURE), 9);
        Prior prior = new Prior(cpu, schedule, denoiser, new LatentCodec(golden.vae(), unet.stride()), PICTURE);
        for (PromptGradient.Wrt wrt : PromptGradient.Wrt.values()) {
            Program p = PromptGradient.program(wrt.name(), new Problem(prior, a, y, 0.05, 1), denoiser, wrt);
            Map<String, Tensor> in = PromptGradient.inputs(OpCase.random(LATENT, 8), y, schedule.level(501), text);
            compare("gradient in the " + wrt, sim, p, in, TOLERANCE);
            compare("gradient in the " + wrt + " in F16", half, p, in, HALF);
        }
    }

    private static void compare(String name, Device d, Program p, Map<String, Tensor> in, double tolerance) {
        Map<String, Tensor> expected = Golden.run(cpu, p, in);
        try (Executable e = d.compile(p)) {
            long start = System.nanoTime();
            Map<String, Tensor> got = e.run(in);
            double seconds = (System.nanoTime() - start) / 1e9;
            System.out.printf("sim: %-18s %,d thread instructions%n", name, ((SimExecutable) e).counts().threadInstructions);
            expected.forEach((output, y) -> {
                double gap = Conformance.distance(y, got.get(output));
                System.out.printf("sim: %-18s %-10s %.1e from cpu, %.1f s%n", name, output, gap, seconds);
                assertTrue(gap <= tolerance, name + ", " + output + ": relative distance " + gap);
            });
        }
    }
}
