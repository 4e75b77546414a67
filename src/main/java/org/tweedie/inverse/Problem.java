// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.diffusion.Prior;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * The inverse problem y = A x + noise, to be solved for x under a latent diffusion prior.
 *
 * @param prior the prior, for pictures of the size of x
 * @param y the measurement, of the operator's output shape
 * @param sigma the standard deviation of the noise, on the scale of [-1,1]
 * @param seed the seed of everything that is random
 */
public record Problem(Prior prior, MeasurementOperator operator, Tensor y, double sigma, long seed) {
    public Problem {
        if (!(sigma > 0) || Double.isInfinite(sigma)) {
            throw new IllegalArgumentException("sigma: expected a positive noise level, got " + sigma);
        }
        Shape expected = operator.outShape(prior.image());
        if (!y.shape().equals(expected)) {
            throw new IllegalArgumentException("measurement: expected " + expected + " for " + operator.spec() + " of a picture "
                    + prior.image() + ", got "
                    + y.shape());
        }
    }

    /** The shape of the picture, [1,H,W,3]. */
    public Shape image() {
        return prior.image();
    }

    /** The norm of the residual if it is noise alone: sigma sqrt(m), where m is the number of measured values. */
    public double noiseNorm() {
        return sigma * Math.sqrt(operator.measurements(image()));
    }
}
