// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.cpu.CpuDevice;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.measure.Inpaint;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.model.Golden;
import org.tweedie.model.UNet;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/**
 * Compares STSL's loss and its gradients on the demo model, for each norm and probe, with PyTorch's autograd
 * (weights-tools/golden/surrogate.py).
 */
class SurrogateGoldenTest {
    private static final double LAMBDA = 0.7;
    private static final double ETA = 0.02;

    @Test
    void everyNormAndProbe() throws Exception {
        try (Golden g = new Golden(Golden.DEMO); Device d = new CpuDevice(2);
             SafeTensors golden = SafeTensors.open(Path.of("src/test/resources/golden/surrogate.safetensors"))) {
            NoiseSchedule schedule = new NoiseSchedule(g.checkpoint.module("scheduler").config());
            NoiseLevel level = schedule.level((int) golden.tensor("timestep").get(0));
            UNet unet = g.unet();
            Tensor text = golden.tensor("encoder_hidden_states");
            Denoiser denoiser = new LatentDenoiser(unet, schedule.prediction(), text, text, 1);
            Tensor y = Golden.nhwc(golden.tensor("y"));
            MeasurementOperator a = new Inpaint("inpaint:test", mask(Golden.nhwc(golden.tensor("mask"))));
            for (Surrogate.Norm norm : Surrogate.Norm.values()) {
                for (Surrogate.Probe probe : Surrogate.Probe.values()) {
                    Surrogate s = new Surrogate(denoiser, new LatentCodec(g.vae(), unet.stride()), a, norm, probe);
                    check(d, s, golden, level, y);
                }
            }
        }
    }

    private static void check(Device d, Surrogate s, SafeTensors golden, NoiseLevel level, Tensor y) {
        String norm = s.norm().name().toLowerCase(Locale.ROOT);
        String probe = s.probe().name().toLowerCase(Locale.ROOT);
        Tensor z = Golden.nhwc(golden.tensor("z"));
        Map<String, Tensor> in = new HashMap<>(Surrogate.inputs(z, y, level));
        in.put("probe", Golden.nhwc(golden.tensor("e")));
        in.put("h", Tensor.scalar(s.h(level)));
        Map<String, Tensor> apart = Golden.run(d, s.program(z.shape(), y.shape(), Surrogate.Gradient.APART), in);
        near(norm + " data", golden.tensor("data." + norm).get(0), apart.get("data").get(0));
        near(probe + " trace", golden.tensor("trace." + probe).get(0), apart.get("trace").get(0));
        near("gradient of data, " + norm, Golden.nhwc(golden.tensor("grad.data." + norm)), apart.get("grad_data"));
        near("gradient of trace, " + probe, Golden.nhwc(golden.tensor("grad.trace." + probe)), apart.get("grad_trace"));
        if (s.probe() != Surrogate.Probe.EXACT) {
            in.put("lambda", Tensor.scalar(LAMBDA));
            in.put("trace_weight", Tensor.scalar(ETA / z.size()));
            Map<String, Tensor> fused = Golden.run(d, s.program(z.shape(), y.shape(), Surrogate.Gradient.FUSED), in);
            near("fused gradient, " + norm + " " + probe, Golden.nhwc(golden.tensor("grad.loss." + norm + "." + probe)),
                    fused.get("grad"));
        }
    }

    private static void near(String what, double golden, double got) {
        assertEquals(golden, got, 1e-4 * Math.abs(golden), what);
    }

    private static void near(String what, Tensor golden, Tensor got) {
        double gap = Golden.distance(got, golden);
        System.out.printf("golden: surrogate %-40s %.1e%n", what, gap);
        assertTrue(gap <= 1e-4, what + ": relative distance " + gap);
    }

    /** Converts [1,H,W,3] to [1,H,W,1]. */
    private static Tensor mask(Tensor x) {
        float[] out = new float[(int) (x.size() / 3)];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) x.get(3L * i);
        }
        return Tensor.of(Shape.of(1, x.shape().dim(1), x.shape().dim(2), 1), out);
    }
}
