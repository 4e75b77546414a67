// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** The last step moves a picture onto the measurement as far as the noise level, and no farther: noise is not copied from y. */
class PixelConsistencyTest {
    private static final Shape IMAGE = Shape.of(1, 16, 16, 3);
    private static final double SIGMA = 0.2;
    private static final NoiseSchedule SCHEDULE = new NoiseSchedule(NoiseSchedule.Betas.SCALED_LINEAR, 0.00085, 0.012, 1000,
            NoiseSchedule.Prediction.EPSILON, Optional.of(NoiseSchedule.Spacing.LEADING), 1, false);
    private static final Prior PRIOR = new Prior(new ReferenceDevice(), SCHEDULE, MixturePrior.normal(0, 0.5),
            MixturePrior.PIXELS, IMAGE); // whose decoder is the identity

    private static Problem problem(String task) {
        MeasurementOperator a = Operators.parse(task, IMAGE, 3);
        return new Problem(PRIOR, a, OpCase.random(a.outShape(IMAGE), 2), SIGMA, 7);
    }

    private static Restoration finished(Problem p, Tensor x) {
        return PixelConsistency.PIXEL.finish(x, p, new Run(PRIOR, Listener.NONE));
    }

    /** y is noise of standard deviation 1, five times the noise that the problem states. */
    @ParameterizedTest
    @ValueSource(strings = {"denoise", "inpaint:box:6", "inpaint:random:0.5", "sr:2", "sr:4"})
    void theResidualEndsAtTheNoiseLevel(String task) {
        Restoration r = finished(problem(task), Vectors.scale(0.1, OpCase.random(IMAGE, 1)));
        assertTrue(r.decodedResidual() > 3, "it began far from the measurement: " + r.decodedResidual());
        assertTrue(r.residual() <= 1 + 1e-6 && r.residual() > 0.999, task + ": residual " + r.residual() + " times the noise");
    }

    /** Without an operator the nearest point at distance sigma sqrt(m) from y lies on the line between y and the picture. */
    @Test
    void denoisingStopsOnTheLineToTheMeasurement() {
        Problem p = problem("denoise");
        Tensor x = Vectors.scale(0.1, OpCase.random(IMAGE, 1));
        double t = 1 - p.noiseNorm() / Vectors.norm(Vectors.minus(p.y(), x, 1));
        Restoration r = finished(p, x);
        assertArrayEquals(Vectors.mix(1 - t, x, t, p.y()).doubles(), r.image().doubles(), 1e-6);
        assertEquals(1, r.residual(), 1e-6);
    }

    @Test
    void aPictureWithinTheNoiseIsLeftAlone() {
        Problem p = problem("denoise");
        Tensor x = Vectors.minus(p.y(), OpCase.random(IMAGE, 1), 0.1);
        assertArrayEquals(x.doubles(), finished(p, x).image().doubles());
    }
}
