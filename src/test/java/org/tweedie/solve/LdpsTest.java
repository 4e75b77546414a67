// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.LinearOperator;
import org.tweedie.sample.Ddim;

/** Tests LDPS with a Gaussian prior over pixels. */
class LdpsTest extends GuidedByResidualTest {
    private static Ldps ldps(int steps, double rho) {
        return new Ldps(steps, rho, new Ddim(0), Start.NOISE, PixelConsistency.NONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"denoise", "sr:2", "blur:1", "inpaint:random:0.5"})
    void followsTheRecursion(String task) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), task);
        LinearOperator a = (LinearOperator) p.operator();
        followsItsRecursion(ldps(12, 0.3), p, r ->
                Vectors.scale(-0.3 / Vectors.norm(r), Applied.adjoint(a, r, p.image())), noise(p));
    }

    @Test
    void holesAreThePriorsAndTheRestThePosteriors() {
        findsThePosteriorOfAMaskedPicture(ldps(200, 0.2));
    }

    @Test
    void counts() {
        countsWhatRan(ldps(7, 1), "nfe=7 unet_forwards=7 unet_vjps=7 decodes=8 decode_vjps=7 encodes=0");
    }
}
