// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.device.OpCase;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.model.Golden;
import org.tweedie.model.UNet;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.transform.DirectionCheck;

/** Tests STSL's loss with priors whose score is known. */
class SurrogateTest {
    private static final Shape IMAGE = Shape.of(1, 16, 16, 3);
    private static final Shape BATCH = Shape.of(2, 16, 16, 3);
    private static final NoiseLevel LEVEL = new NoiseLevel(400, 0.42);
    private static final Denoiser MIXTURE = new MixturePrior(new double[] {0.4, 0.6}, new double[] {-0.5, 0.5},
            new double[] {0.3, 0.2});

    private static Map<String, Tensor> inputs(Surrogate s, Shape z, Shape y) {
        Map<String, Tensor> in = Surrogate.inputs(OpCase.random(z, 1), OpCase.random(y, 2), LEVEL);
        in.put("probe", OpCase.random(z, 3));
        in.put("h", Tensor.of(Shape.of(), new double[] {s.h(LEVEL)}));
        in.put("lambda", Tensor.of(Shape.of(), new double[] {0.7}));
        in.put("trace_weight", Tensor.of(Shape.of(), new double[] {0.02}));
        return in;
    }

    /** For a standard normal prior the score is -z, so each probe gives -|e|^2 for any h, and the trace has no gradient. */
    @ParameterizedTest
    @EnumSource(Surrogate.Probe.class)
    void traceOfTheNormalPrior(Surrogate.Probe probe) {
        MeasurementOperator a = Operators.parse("denoise", IMAGE, 1);
        Surrogate s = new Surrogate(MixturePrior.normal(0, 1), MixturePrior.PIXELS, a, Surrogate.Norm.NORM, probe);
        Map<String, Tensor> in = inputs(s, IMAGE, IMAGE);
        in.remove("lambda");
        in.remove("trace_weight");
        Map<String, Tensor> out = DirectionCheck.run(s.program(IMAGE, IMAGE, Surrogate.Gradient.APART), in);
        double expected = -DirectionCheck.dot(in.get("probe"), in.get("probe"));
        assertEquals(expected, out.get("trace").get(0), 1e-9 * Math.abs(expected));
        assertEquals(0, Vectors.norm(out.get("grad_trace")), 1e-9);
    }

    /** The gradient of the fused program is that of the weighted sum of its two terms, per sample of a batch. */
    @ParameterizedTest
    @EnumSource(Surrogate.Probe.class)
    void fusedGradientIsTheSumOfTheTwo(Surrogate.Probe probe) {
        MeasurementOperator a = Operators.parse("sr:4", IMAGE, 1);
        Surrogate s = new Surrogate(MIXTURE, MixturePrior.PIXELS, a, Surrogate.Norm.SUM, probe);
        Map<String, Tensor> in = inputs(s, BATCH, a.outShape(BATCH));
        Map<String, Tensor> fused = DirectionCheck.run(s.program(BATCH, BATCH, Surrogate.Gradient.FUSED), in);
        in.remove("lambda");
        in.remove("trace_weight");
        Map<String, Tensor> apart = DirectionCheck.run(s.program(BATCH, BATCH, Surrogate.Gradient.APART), in);
        for (long i = 0; i < BATCH.size(); i++) {
            assertEquals(0.7 * apart.get("grad_data").get(i) + 0.02 * apart.get("grad_trace").get(i),
                    fused.get("grad").get(i), 1e-10);
        }
        assertEquals(apart.get("trace").get(1), fused.get("trace").get(1), 1e-10);
    }

    /** Checks the gradients of the terms along a random direction, for every norm, probe and operator family. */
    @ParameterizedTest
    @EnumSource(Surrogate.Norm.class)
    void gradientsAlongADirection(Surrogate.Norm norm) {
        for (Surrogate.Probe probe : Surrogate.Probe.values()) {
            for (String task : new String[] {"sr:4", "inpaint:random:0.5", "blur:1"}) {
                MeasurementOperator a = Operators.parse(task, IMAGE, 1);
                Surrogate s = new Surrogate(MIXTURE, MixturePrior.PIXELS, a, norm, probe);
                Map<String, Tensor> in = inputs(s, IMAGE, a.outShape(IMAGE));
                in.remove("lambda");
                in.remove("trace_weight");
                Program p = s.program(IMAGE, IMAGE, Surrogate.Gradient.APART);
                check(p, in, "data", "grad_data");
                check(p, in, "trace", "grad_trace");
            }
        }
    }

    private static void check(Program p, Map<String, Tensor> in, String term, String gradient) {
        Tensor direction = OpCase.random(in.get("z").shape(), 9);
        double slope = DirectionCheck.dot(direction, DirectionCheck.run(p, in).get(gradient));
        double h = 1e-5;
        double plus = DirectionCheck.run(p, DirectionCheck.with(in, "z", Vectors.minus(in.get("z"), direction, -h)))
                .get(term).get(0);
        double minus = DirectionCheck.run(p, DirectionCheck.with(in, "z", Vectors.minus(in.get("z"), direction, h)))
                .get(term).get(0);
        assertEquals((plus - minus) / (2 * h), slope, 1e-6 * (1 + Math.abs(slope)), p.name() + " " + term);
    }

    /**
     * Checks every gradient of the whole loss, through a UNet, a decoder and an operator, along a random direction for each
     * probe.
     */
    @ParameterizedTest
    @EnumSource(Surrogate.Probe.class)
    void gradientsThroughNetworksAlongADirection(Surrogate.Probe probe) throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            UNet unet = g.unet();
            Tensor text = g.raw("ddim.cond");
            Denoiser denoiser = new LatentDenoiser(unet, NoiseSchedule.Prediction.EPSILON, text, text, 1);
            Shape image = Shape.of(1, 4 * g.vae().factor(), 4 * g.vae().factor(), 3);
            MeasurementOperator a = Operators.parse("inpaint:random:0.5", image, 1);
            Surrogate s = new Surrogate(denoiser, new LatentCodec(g.vae(), unet.stride()), a, Surrogate.Norm.NORM, probe);
            Shape z = Shape.of(1, 4, 4, 4);
            Map<String, Tensor> in = inputs(s, z, image);
            in.remove("lambda");
            in.remove("trace_weight");
            Program p = s.program(z, image, Surrogate.Gradient.APART);
            check(p, in, "data", "grad_data");
            check(p, in, "trace", "grad_trace");
        }
    }

    /** Identical samples in a batch give the same result as one alone, since norms are per sample. */
    @Test
    void batchDoesNotMix() {
        MeasurementOperator a = Operators.parse("sr:4", IMAGE, 1);
        Surrogate s = new Surrogate(MIXTURE, MixturePrior.PIXELS, a, Surrogate.Norm.NORM, Surrogate.Probe.UNIT);
        Map<String, Tensor> one = inputs(s, IMAGE, a.outShape(IMAGE));
        Map<String, Tensor> two = new java.util.HashMap<>(one);
        for (String name : new String[] {"z", "probe", "measurement"}) {
            two.put(name, twice(one.get(name)));
        }
        Tensor single = DirectionCheck.run(s.program(IMAGE, IMAGE, Surrogate.Gradient.FUSED), one).get("grad");
        Tensor pair = DirectionCheck.run(s.program(BATCH, BATCH, Surrogate.Gradient.FUSED), two).get("grad");
        for (long i = 0; i < pair.size(); i++) {
            assertEquals(single.get(i % single.size()), pair.get(i), 1e-12);
        }
    }

    private static Tensor twice(Tensor x) {
        double[] out = new double[(int) (2 * x.size())];
        for (int i = 0; i < out.length; i++) {
            out[i] = x.get(i % x.size());
        }
        return Tensor.of(x.shape().with(0, 2), out);
    }
}
