// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import org.tweedie.device.Device;
import org.tweedie.diffusion.Codec;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * y = A x + noise, to be solved for x under a latent diffusion prior.
 *
 * @param y the measurement, of the operator's output shape
 * @param image shape of the picture wanted, [1,H,W,3]
 * @param sigma standard deviation of the noise, on the scale of [-1,1]
 */
public record Problem(Device device, NoiseSchedule schedule, Denoiser denoiser, Codec codec, MeasurementOperator operator, Tensor y, Shape image,
                      double sigma, long seed) {
    public Problem {
        if (!(sigma > 0)) {
            throw new IllegalArgumentException("sigma: expected a positive noise level, got " + sigma);
        }
        Shape expected = operator.outShape(image);
        if (!y.shape().equals(expected)) {
            throw new IllegalArgumentException("measurement: expected " + expected + " for " + operator.spec() + " of a picture " + image + ", got " + y.shape());
        }
    }

    /** Norm of the residual that noise alone leaves: sigma sqrt(m). */
    public double noiseNorm() {
        return sigma * Math.sqrt(operator.measurements(image));
    }
}
