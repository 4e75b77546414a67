// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.LinearOperator;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests LDIR with a normal prior over pixels. */
class LdirTest extends GuidedByResidualTest {
    private static Ldir ldir(int steps, double lr, double eta) {
        return new Ldir(steps, lr, eta, Start.NOISE, PixelConsistency.NONE);
    }

    /**
     * For a prior N(0, S) the step is z' = a z + s n with a = sqrt(abar') J + sqrt(1 - abar' - s^2) sigma / v, so the gradient
     * of |y - A z'| in z is -a A^T r / |r|. The noise s is that of DDIM's equation 16.
     */
    @ParameterizedTest
    @CsvSource({"denoise,1", "sr:2,1", "blur:1,0.5", "inpaint:random:0.5,0"})
    void followsTheRecursion(String task, double eta) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), task);
        Sampler.Walk walk = new Ddim(eta).walk(GaussianBed.SCHEDULE, 12);
        Supplier<Tensor> noise = Start.stepNoise(p);
        Tensor z = noise(p);
        for (int i = 0; i < 12; i++) {
            NoiseLevel at = walk.levels().get(i);
            NoiseLevel to = walk.levels().get(i + 1);
            double s = eta * Math.sqrt((1 - to.abar()) / (1 - at.abar())) * Math.sqrt(1 - at.abar() / to.abar());
            double v = at.abar() * STD * STD + 1 - at.abar();
            double a = to.sqrtAbar() * at.sqrtAbar() * STD * STD / v + Math.sqrt(1 - to.abar() - s * s) * at.sigma() / v;
            Tensor next = Vectors.mix(a, z, s, noise.get());
            Tensor r = Applied.residual(p.operator(), p.y(), next);
            Tensor atr = Applied.adjoint((LinearOperator) p.operator(), r, p.image());
            z = Vectors.mix(1, next, 0.7 * at.abar() * a / Vectors.norm(r), atr);
        }
        assertArrayEquals(z.doubles(), ldir(12, 0.7, eta).solve(p, Listener.NONE).decoded().doubles(), 1e-8);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1})
    void withoutAStepItIsSampling(double eta) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0.1, STD), "sr:4");
        Unguided plain = new Unguided(9, new Ddim(eta), Start.NOISE, PixelConsistency.NONE);
        assertArrayEquals(plain.solve(p, Listener.NONE).image().doubles(),
                ldir(9, 0, eta).solve(p, Listener.NONE).image().doubles());
    }

    @Test
    void counts() {
        countsWhatRan(ldir(7, 1, 1), "nfe=7 unet_forwards=7 unet_vjps=7 decodes=8 decode_vjps=7 encodes=0");
    }

    @Test
    void aNonLinearOperatorIsFollowedThroughItsDerivative() {
        Problem p = GaussianBed.problem(new ReferenceDevice(), MixturePrior.normal(0, STD), new NonLinearTest.Cubic(), 7);
        double guided = ldir(100, 0.3, 1).solve(p, Listener.NONE).residual();
        double plain = ldir(100, 0, 1).solve(p, Listener.NONE).residual();
        assertTrue(guided < plain / 3, guided + " times the noise, " + plain + " without guidance");
    }

    @Test
    void stops() {
        Halting.stopsWhenCancelled(ldir(5, 1, 1));
        Halting.namesWhatIsNotFinite(ldir(5, 1, 1), "ldir: step 1 of 5 (t=801): latent z");
    }
}
