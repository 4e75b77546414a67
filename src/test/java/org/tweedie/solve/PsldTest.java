// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.Run;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.StateProjection;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.LinearOperator;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests PSLD with a Gaussian prior over pixels, whose encoder is the identity, so that the gluing term is |A^T r|. */
class PsldTest extends GuidedByResidualTest {
    private static Psld psld(int steps, double omega, double gamma) {
        return new Psld(steps, omega, gamma, 1, new Ddim(0), Start.NOISE, PixelConsistency.NONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"denoise", "sr:2", "blur:1", "inpaint:random:0.5"})
    void followsTheRecursion(String task) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), task);
        LinearOperator a = (LinearOperator) p.operator();
        followsItsRecursion(psld(12, 0.3, 0.2), p, r -> {
            Tensor atr = Applied.adjoint(a, r, p.image());
            // minus the slope of |A^T (y - A x)|, times |A^T r|
            Tensor glue = Applied.adjoint(a, Applied.apply(a, atr), p.image());
            return Vectors.mix(-0.3 / Vectors.norm(r), atr, -0.2 / Vectors.norm(atr), glue);
        }, noise(p));
    }

    @Test
    void holesAreThePriorsAndTheRestThePosteriors() {
        findsThePosteriorOfAMaskedPicture(psld(200, 0.15, 0.05));
    }

    @Test
    void withoutGluingItIsLdps() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0.1, STD), "sr:4");
        double[] ldps = new Ldps(9, 0.7, new Ddim(1), Start.NOISE, PixelConsistency.NONE).solve(p, Listener.NONE)
                .image().doubles();
        double[] psld = new Psld(9, 0.7, 0, 1, new Ddim(1), Start.NOISE, PixelConsistency.NONE).solve(p, Listener.NONE)
                .image().doubles();
        assertArrayEquals(ldps, psld, 1e-12);
    }

    /** The gradient is projected onto the leading singular vectors of the latent from which it was taken. */
    @Test
    void theGradientIsProjectedOntoTheState() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:2");
        Sampler.Walk walk = new Ddim(0).walk(GaussianBed.SCHEDULE, 1);
        Tensor z = noise(p);
        Tensor unchanged = walk.step(0, z, new Run(p.prior(), Listener.NONE).eps(z, walk.levels().get(0)), null);
        Tensor g = Vectors.minus(unchanged, onestep(p, 1), 1);
        Tensor projected = Vectors.minus(unchanged, onestep(p, 0.9), 1);
        assertArrayEquals(StateProjection.of(z, 0.9).project(g).doubles(), projected.doubles(), 1e-9);
        assertTrue(Vectors.norm(projected) < 0.99 * Vectors.norm(g), "the projection must shorten the gradient");
    }

    private static Tensor onestep(Problem p, double stateVariance) {
        return new Psld(1, 0.3, 0.2, stateVariance, new Ddim(0), Start.NOISE, PixelConsistency.NONE).solve(p, Listener.NONE)
                .decoded();
    }

    @Test
    void counts() {
        countsWhatRan(psld(7, 1, 0.1), "nfe=7 unet_forwards=7 unet_vjps=7 decodes=8 decode_vjps=7 encodes=7 encode_vjps=7");
    }

    @Test
    void aNonLinearOperatorIsRefused() {
        Problem p = GaussianBed.problem(new ReferenceDevice(), MixturePrior.normal(0, STD), new NonLinearTest.Cubic(), 7);
        assertEquals("psld: expected a linear operator, got 'cubic'; choose another solver or task",
                assertThrows(IllegalArgumentException.class, () -> psld(2, 1, 0.1).solve(p, Listener.NONE)).getMessage());
    }
}
