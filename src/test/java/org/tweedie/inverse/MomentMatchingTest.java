// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.Device;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.measure.Operators;
import org.tweedie.model.Golden;
import org.tweedie.model.UNet;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.DotProductAttentionVjp;
import org.tweedie.program.op.Op;
import org.tweedie.transform.Simplify;

/** Tests the Krylov iterations of MMPS on networks. */
class MomentMatchingTest {
    private static Problem problem(Golden g, Device d, String task, int side) throws Exception {
        UNet unet = g.unet();
        NoiseSchedule schedule = new NoiseSchedule(g.checkpoint.module("scheduler").config());
        Tensor text = OpCase.random(Shape.of(1, 77, unet.contextWidth()), 1);
        Shape image = Shape.of(1, side, side, 3);
        Prior prior = new Prior(d, schedule, new LatentDenoiser(unet, schedule.prediction(), text, text, 1),
                new LatentCodec(g.vae(), unet.stride()), image);
        var a = Operators.parse(task, image, 3);
        return new Problem(prior, a, OpCase.random(a.outShape(image), 2), 0.1, 1);
    }

    private static long count(Program p, Class<? extends Op> op) {
        return p.body().stream().map(Instr::op).filter(op::isInstance).count();
    }

    /** k iterations share one evaluation of the UNet and one of the decoder; each adds one pull-back and one push-forward. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void theWorkOfOneLevel(int k) throws Exception {
        try (Golden g = new Golden(Golden.DEMO); Device d = new ReferenceDevice()) {
            Problem p = problem(g, d, "denoise", 64);
            Program level = MomentMatching.program("mmps", p, k);
            Tracer eps = new Tracer("eps");
            eps.output("eps", p.prior().denoiser().eps(eps, eps.input("z", Type.real(p.prior().latent())),
                    NoiseLevel.inputs(eps, "")));
            Program unet = Simplify.of(eps.finish());
            Tracer decode = new Tracer("decode");
            decode.output("x", p.prior().codec().decode(decode, decode.input("z", Type.real(p.prior().latent()))));
            Program decoder = Simplify.of(decode.finish());
            long u = count(unet, Convolution.class);
            long v = count(decoder, Convolution.class);
            assertTrue(u > 10 && v > 10, u + " and " + v + " convolutions");
            assertEquals(u + v + k * v, count(level, Convolution.class), "a push-forward of a convolution is a convolution");
            assertEquals(k * (u + v), count(level, ConvolutionVjp.class));
            long attentions = count(unet, DotProductAttention.class);
            long decoders = count(decoder, DotProductAttention.class);
            assertEquals(attentions + decoders, count(level, DotProductAttention.class));
            assertEquals(k * (attentions + decoders), count(level, DotProductAttentionVjp.class));
            assertEquals(k * decoders, count(level, DotProductAttentionJvp.class));
        }
    }

    /**
     * On networks in double precision: d is the change of zbar that the pull-back says, checked with differences of zbar and of
     * A D, since w - v0 v = B d, and u.d = gam (B J u).v for any u.
     */
    @Test
    void theIterationsAreTheDerivatives() throws Exception {
        try (Golden g = new Golden(Golden.SD15); Device d = new ReferenceDevice()) {
            Problem p = problem(g, d, "sr:2", 16);
            NoiseLevel level = new NoiseLevel(501, 0.3);
            Tensor z = OpCase.random(p.prior().latent(), 3);
            Map<String, Tensor> in = new HashMap<>(MomentMatching.inputs(z, p.y(), level, 0.25));
            Map<String, Tensor> at = Golden.run(d, MomentMatching.program("mmps", p, 2), in);
            Tensor r = at.get("r");
            double length = Math.scalb(1.0, Math.getExponent(Math.sqrt(r.size())));
            Tensor v1 = Vectors.scale(length / Vectors.norm(r), r);
            near(bd(p, d, level, z, at.get("d1")), Vectors.minus(at.get("w1"), v1, 0.25), "w1");
            Tensor q = Vectors.minus(at.get("w1"), v1, Vectors.dot(at.get("w1"), v1) / (length * length));
            Tensor v2 = Vectors.scale(length / Vectors.norm(q), q);
            near(bd(p, d, level, z, at.get("d2")), Vectors.minus(at.get("w2"), v2, 0.25), "w2");
            Tensor u = OpCase.random(p.prior().latent(), 4);
            double h = 1e-4;
            Tensor change = Vectors.scale(1 / (2 * h), Vectors.minus(misfit(p, d, level, Vectors.minus(z, u, h)),
                    misfit(p, d, level, Vectors.minus(z, u, -h)), 1)); // B J u
            double gam = (1 - 0.3) / Math.sqrt(0.3);
            for (int j = 1; j <= 2; j++) {
                double expected = gam * Vectors.dot(change, j == 1 ? v1 : v2);
                assertEquals(expected, Vectors.dot(u, at.get("d" + j)), 1e-4 * Math.abs(expected), "d" + j);
            }
        }
    }

    private static void near(Tensor expected, Tensor got, String what) {
        double gap = Golden.distance(got, expected);
        assertTrue(gap < 1e-5, what + " is at a relative distance of " + gap);
    }

    /** B d at zbar(z), by differences. */
    private static Tensor bd(Problem p, Device device, NoiseLevel level, Tensor z, Tensor d) {
        double h = 1e-4 / Vectors.norm(d);
        Tensor plus = decoded(p, device, level, z, Vectors.scale(h, d));
        Tensor minus = decoded(p, device, level, z, Vectors.scale(-h, d));
        return Vectors.scale(1 / (2 * h), Vectors.minus(minus, plus, 1)); // the misfit has the sign of -B
    }

    private static Tensor misfit(Problem p, Device device, NoiseLevel level, Tensor z) {
        return decoded(p, device, level, z, Vectors.scale(0, z));
    }

    /** y - A D(zbar(z) + d). */
    private static Tensor decoded(Problem p, Device device, NoiseLevel level, Tensor z, Tensor d) {
        Tracer t = new Tracer("misfit");
        var in = t.input("z", Type.real(z.shape()));
        NoiseLevel.Traced at = NoiseLevel.inputs(t, "");
        var zbar = at.mean(t, in, p.prior().denoiser().eps(t, in, at));
        var x = p.prior().codec().decode(t, t.add(zbar, t.input("d", Type.real(z.shape()))));
        t.output("r", p.operator().residual(t, t.constant("y", p.y()), x));
        Map<String, Tensor> values = new HashMap<>(level.tensors(""));
        values.put("z", z);
        values.put("d", d);
        return Golden.run(device, Simplify.of(t.finish()), values).get("r");
    }
}
