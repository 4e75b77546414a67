// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests sampling without guidance, with a normal prior over pixels. */
class UnguidedTest extends GuidedByResidualTest {
    private static Unguided unguided(int steps, Start init) {
        return new Unguided(steps, new Ddim(0), init, PixelConsistency.NONE);
    }

    /** For a prior N(0, S), each DDIM step is a multiplication: sqrt(abar') J + sigma' sigma / v. */
    @ParameterizedTest
    @EnumSource(Start.class)
    void isDdimFromItsStart(Start init) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4");
        Sampler.Walk walk = new Ddim(0).walk(GaussianBed.SCHEDULE, 8);
        double factor = 1;
        for (int i = 0; i < 8; i++) {
            NoiseLevel at = walk.levels().get(i);
            NoiseLevel to = walk.levels().get(i + 1);
            double v = at.abar() * STD * STD + at.sigma() * at.sigma();
            factor *= to.sqrtAbar() * at.sqrtAbar() * STD * STD / v + to.sigma() * at.sigma() / v;
        }
        Tensor start = init.at(walk, p, new Run(p.prior(), Listener.NONE));
        assertArrayEquals(Vectors.scale(factor, start).doubles(), unguided(8, init).solve(p, Listener.NONE).image().doubles(),
                1e-9);
    }

    /** From noise, two measurements of the same size lead to the same picture; the last step in pixels alone uses them. */
    @Test
    void fromNoiseTheMeasurementDoesNotMatter() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4");
        Problem other = new Problem(p.prior(), p.operator(), Vectors.scale(-2, p.y()), p.sigma(), p.seed());
        Unguided s = new Unguided(4, new Ddim(1), Start.NOISE, PixelConsistency.PIXEL);
        Restoration one = s.solve(p, Listener.NONE);
        Restoration two = s.solve(other, Listener.NONE);
        assertArrayEquals(one.decoded().doubles(), two.decoded().doubles());
        assertTrue(Vectors.norm(Vectors.minus(one.image(), two.image(), 1)) > 1);
        assertTrue(one.residual() <= 1.0001 && two.residual() <= 1.0001);
    }

    @Test
    void counts() {
        countsWhatRan(unguided(7, Start.DDIM), "nfe=7 unet_forwards=14 unet_vjps=0 decodes=1 decode_vjps=0 encodes=1");
        countsWhatRan(unguided(7, Start.NOISE), "nfe=7 unet_forwards=7 unet_vjps=0 decodes=1 decode_vjps=0 encodes=0");
    }

    @Test
    void aNonLinearOperatorIsNotInTheWay() {
        Problem p = GaussianBed.problem(new ReferenceDevice(), MixturePrior.normal(0, STD), new NonLinearTest.Cubic(), 7);
        assertEquals(p.image(), unguided(2, Start.DDIM).solve(p, Listener.NONE).image().shape());
    }

    @Test
    void stops() {
        Halting.stopsWhenCancelled(unguided(5, Start.NOISE));
        Halting.namesWhatIsNotFinite(unguided(5, Start.NOISE), "ddim: step 1 of 5 (t=801): latent z");
    }
}
