// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.Map;
import java.util.Optional;
import org.tweedie.device.Device;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.transform.DirectionCheck;

/** Inverse problems for tests of solvers, on the reference device: over pixels, with a prior whose score is known. */
final class GaussianBed {
    static final Shape IMAGE = Shape.of(1, 8, 8, 3);
    static final double SIGMA = 0.05;
    static final NoiseSchedule SCHEDULE = new NoiseSchedule(NoiseSchedule.Betas.SCALED_LINEAR, 0.00085, 0.012, 1000,
            NoiseSchedule.Prediction.EPSILON, Optional.of(NoiseSchedule.Spacing.LEADING), 1, false);

    private GaussianBed() {}

    /** Makes a measurement of a random picture with mean 0 and standard deviation 0.6. */
    static Problem problem(Denoiser prior, String task) {
        return problem(new ReferenceDevice(), prior, Operators.parse(task, IMAGE, 3), 7);
    }

    static Problem problem(Device device, Denoiser prior, MeasurementOperator a, long seed) {
        Tracer t = new Tracer("measure");
        t.output("y", a.apply(t, t.input("x", Type.real(IMAGE))));
        Tensor y = Vectors.mix(1, DirectionCheck.run(t.finish(), Map.of("x", truth())).get("y"), -SIGMA,
                OpCase.random(a.outShape(IMAGE), 6));
        return new Problem(new Prior(device, SCHEDULE, prior, MixturePrior.PIXELS, IMAGE), a, y, SIGMA, seed);
    }

    static Tensor truth() {
        return Vectors.scale(0.6, OpCase.random(IMAGE, 5));
    }
}
