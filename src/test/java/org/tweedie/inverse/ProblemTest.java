// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;
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
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** A problem checks its tensors, and its start picture is what solvers start from. */
class ProblemTest {
    private static final Shape IMAGE = Shape.of(1, 8, 8, 3);
    private static final NoiseSchedule SCHEDULE = new NoiseSchedule(NoiseSchedule.Betas.SCALED_LINEAR, 0.00085, 0.012, 1000,
            NoiseSchedule.Prediction.EPSILON, Optional.of(NoiseSchedule.Spacing.LEADING), 1, false);
    private static final Prior PRIOR = new Prior(new ReferenceDevice(), SCHEDULE, MixturePrior.normal(0, 0.5),
            MixturePrior.PIXELS, IMAGE);
    private static final MeasurementOperator A = Operators.parse("sr:4", IMAGE, 3);

    @Test
    void startsFromThePictureThatItIsGiven() {
        Tensor y = OpCase.random(A.outShape(IMAGE), 1);
        Tensor x = OpCase.random(IMAGE, 2);
        Sampler.Walk walk = new Ddim(0).walk(SCHEDULE, 4);
        Problem own = new Problem(PRIOR, A, y, 0.1, 7);
        Problem given = new Problem(PRIOR, A, y, 0.1, 7, x);
        assertArrayEquals(A.start(y).doubles(), own.start().doubles());
        double scale = walk.levels().getFirst().sqrtAbar(); // the codec of this prior is the identity
        Tensor gap = Vectors.minus(Start.QSAMPLE.at(walk, given, new Run(PRIOR, Listener.NONE)),
                Start.QSAMPLE.at(walk, own, new Run(PRIOR, Listener.NONE)), 1);
        assertArrayEquals(Vectors.scale(scale, Vectors.minus(x, own.start(), 1)).doubles(), gap.doubles(), 1e-6);
    }

    @Test
    void refusesTensorsThatDoNotFit() {
        Tensor y = OpCase.random(A.outShape(IMAGE), 1);
        assertEquals("start: expected a picture [1,8,8,3], got [1,2,2,3]", assertThrows(IllegalArgumentException.class,
                () -> new Problem(PRIOR, A, y, 0.1, 7, y)).getMessage());
        String message = assertThrows(IllegalArgumentException.class,
                () -> new Problem(PRIOR, A, OpCase.random(IMAGE, 1), 0.1, 7)).getMessage();
        assertEquals("measurement: expected [1,2,2,3] for sr:4 of a picture [1,8,8,3], got [1,8,8,3]", message);
        assertThrows(IllegalArgumentException.class, () -> new Problem(PRIOR, A, y, 0, 7));
    }
}
