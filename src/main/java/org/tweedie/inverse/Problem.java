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
 * @param start the picture from which solvers may start, [1,H,W,3]
 */
public record Problem(Prior prior, MeasurementOperator operator, Tensor y, double sigma, long seed, Tensor start) {
    /** Makes a problem whose solvers start from A+ y, the operator's own start picture. */
    public Problem(Prior prior, MeasurementOperator operator, Tensor y, double sigma, long seed) {
        this(prior, operator, y, sigma, seed, fitting(prior, operator, y) ? operator.start(y) : null);
    }

    /** @throws IllegalArgumentException when sigma is not positive, or y or the start has the wrong shape */
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
        if (!start.shape().equals(prior.image())) {
            throw new IllegalArgumentException("start: expected a picture " + prior.image() + ", got " + start.shape());
        }
    }

    private static boolean fitting(Prior prior, MeasurementOperator operator, Tensor y) {
        return y.shape().equals(operator.outShape(prior.image())); // otherwise the other constructor says what is wrong
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
