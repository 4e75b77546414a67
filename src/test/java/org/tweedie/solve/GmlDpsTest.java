// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Codec;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.Prior;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.LinearOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests GML-DPS with a normal prior over pixels and an autoencoder whose only fixed point is 1/2. */
class GmlDpsTest extends GuidedByResidualTest {
    private static final Codec INEXACT = new Codec() {
        @Override
        public Value encode(Tracer t, Value image) {
            return t.affine(image, 0.9, 0.05);
        }

        @Override
        public Value decode(Tracer t, Value z) {
            return z;
        }

        @Override
        public Shape latent(Shape image) {
            return image;
        }
    };

    private static GmlDps gml(int steps, double rho, double w, Sampler sampler) {
        return new GmlDps(steps, rho, w, sampler, Start.NOISE, PixelConsistency.NONE);
    }

    /** zbar - E(zbar) = zbar/10 - 1/20, whose norm has the slope (zbar/10 - 1/20) / 10 over that norm. */
    @ParameterizedTest
    @ValueSource(strings = {"denoise", "sr:2", "blur:1", "inpaint:random:0.5"})
    void followsTheRecursion(String task) {
        Problem flat = GaussianBed.problem(MixturePrior.normal(0, STD), task);
        Problem p = new Problem(new Prior(new ReferenceDevice(), GaussianBed.SCHEDULE, MixturePrior.normal(0, STD), INEXACT,
                GaussianBed.IMAGE), flat.operator(), flat.y(), flat.sigma(), flat.seed());
        LinearOperator a = (LinearOperator) p.operator();
        double[] ones = new double[(int) GaussianBed.IMAGE.size()];
        Arrays.fill(ones, 1);
        follows(gml(12, 0.3, 0.8, new Ddim(0)), p, (zbar, r) -> {
            Tensor loop = Vectors.mix(0.1, zbar, -0.05, Tensor.of(GaussianBed.IMAGE, ones));
            return Vectors.mix(-0.3 / Vectors.norm(r), Applied.adjoint(a, r, p.image()), 0.8 * 0.1 / Vectors.norm(loop), loop);
        }, noise(p));
    }

    /** The autoencoder of the test bed loses nothing, so that the norm of exactly zero has no gradient either. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.05})
    void withoutTheTermOrWithNothingLostItIsLdps(double w) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0.1, STD), "sr:4");
        double[] ldps = new Ldps(9, 0.7, new Ddim(1), Start.NOISE, PixelConsistency.NONE).solve(p, Listener.NONE)
                .image().doubles();
        assertArrayEquals(ldps, gml(9, 0.7, w, new Ddim(1)).solve(p, Listener.NONE).image().doubles(), 1e-12);
    }

    @Test
    void theDefaultsOfATask() {
        assertEquals(2, ((GmlDps) Solvers.of("gml-dps", "blur")).rho());
        assertEquals(10, ((GmlDps) Solvers.of("gml-dps", "inpaint:random:0.7")).rho());
    }

    @Test
    void counts() {
        countsWhatRan(gml(7, 1, 0.1, new Ddim(0)),
                "nfe=7 unet_forwards=7 unet_vjps=7 decodes=8 decode_vjps=7 encodes=7 encode_vjps=7");
    }

    @Test
    void stops() {
        Halting.stopsWhenCancelled(gml(5, 1, 0.1, new Ddim(0)));
        Halting.namesWhatIsNotFinite(gml(5, 1, 0.1, new Ddim(0)), "gml-dps: step 1 of 5 (t=801): latent z");
    }
}
