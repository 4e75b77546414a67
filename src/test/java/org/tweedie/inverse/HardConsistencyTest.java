// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.measure.Operators;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests the fits of pictures and latents to a measurement, with a decoder that is the identity. */
class HardConsistencyTest {
    private static final Shape IMAGE = Shape.of(1, 8, 8, 3);
    private static final NoiseSchedule SCHEDULE = new NoiseSchedule(NoiseSchedule.Betas.SCALED_LINEAR, 0.00085, 0.012, 1000,
            NoiseSchedule.Prediction.EPSILON, Optional.empty(), 1, false);

    private static HardConsistency fits(String task) {
        var a = Operators.parse(task, IMAGE, 3);
        Prior prior = new Prior(new ReferenceDevice(), SCHEDULE, MixturePrior.normal(0, 1), MixturePrior.PIXELS, IMAGE);
        Problem p = new Problem(prior, a, OpCase.random(a.outShape(IMAGE), 6), 0.05, 1);
        return new HardConsistency("test", p, new Run(prior, Listener.NONE), 0.01, 1);
    }

    /** The decoder is the identity, so a fit through it is the fit in pixels. */
    @Test
    void bothFitsAreOneWhereTheDecoderIsTheIdentity() {
        HardConsistency fits = fits("blur:1");
        Tensor x = OpCase.random(IMAGE, 1);
        HardConsistency.Limits limits = new HardConsistency.Limits(0.01, 40, 0);
        HardConsistency.Fitted picture = fits.picture(x, x, limits);
        assertEquals(40, picture.iterations());
        assertArrayEquals(picture.x().doubles(), fits.latent(x, x, limits).x().doubles(), 1e-12);
    }

    /** The mean is over the measured values, so that a fit of a masked picture ends at the same residual. */
    @Test
    void aFitEndsAtTheMeanSquareThatIsAskedFor() {
        for (String task : new String[] {"denoise", "inpaint:random:0.9"}) {
            HardConsistency fits = fits(task);
            HardConsistency.Fitted f = fits.picture(Tensor.of(IMAGE, new double[192]), OpCase.random(IMAGE, 1),
                    new HardConsistency.Limits(0.01, 5000, 0.04));
            Tensor r = new PixelOperator(fits.p(), fits.run()).residual(f.x());
            double meanSquare = Vectors.dot(r, r) / fits.p().operator().measurements(IMAGE);
            assertTrue(meanSquare <= 0.04 && meanSquare > 0.036, task + ": mean square " + meanSquare);
            assertTrue(f.iterations() < 5000);
        }
    }

    /** At this rate the fit starts with steps of 3, which leave the small residual of its start far behind. */
    @Test
    void aLatentFitThatDoesNotImproveIsGivenUp() {
        HardConsistency fits = fits("denoise");
        Tensor near = Vectors.mix(1, fits.p().y(), 1e-6, OpCase.random(IMAGE, 1));
        HardConsistency.Limits limits = new HardConsistency.Limits(3, 1000, 0);
        assertEquals(HardConsistency.WINDOW + 1, fits.latent(near, near, limits).iterations());
        assertEquals(1000, fits.picture(near, near, limits).iterations(), "a fit in pixels has no such rule");
    }

    @Test
    void aFitOfNoIterationsLeavesWhatItIsGiven() {
        Tensor x = OpCase.random(IMAGE, 1);
        HardConsistency.Fitted f = fits("denoise").latent(x, x, new HardConsistency.Limits(0.1, 0, 0));
        assertEquals(0, f.iterations());
        assertArrayEquals(x.doubles(), f.x().doubles());
    }

    @Test
    void aLossThatIsNotFiniteIsNamed() {
        Tensor x = Tensor.of(IMAGE, new double[192]);
        Tensor broken = Vectors.scale(Double.NaN, x);
        String message = assertThrows(Finite.NotFinite.class, () -> fits("denoise").latent(broken, x,
                new HardConsistency.Limits(0.1, 3, 0))).getMessage();
        assertTrue(message.startsWith("test: iteration 1 of the fit: loss is not finite"), message);
    }
}
