// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A linear map A from pictures [B,H,W,3] in [-1,1] to measurements [B,h,w,3]. Deterministic once constructed.
 * A new one is one record here and one line in {@link Operators}.
 */
public interface MeasurementOperator {
    /** The words from which it can be built again, as in {@code sr:4}. */
    String spec();

    /** Shape of the measurement of pictures [B,H,W,3]. @throws IllegalArgumentException when the size does not fit, saying what would */
    Shape outShape(Shape image);

    /** How many numbers of a measurement carry information (a hole of an inpainting mask does not). */
    default long measurements(Shape image) {
        return outShape(image).size();
    }

    /** A x. */
    Value apply(Tracer t, Value x);

    /** A^T y, the true adjoint; it does not keep intensities. @param image shape of the picture */
    Value adjoint(Tracer t, Value y, Shape image);

    /** y - A x, where y says something. */
    default Value residual(Tracer t, Value y, Value x) {
        return t.sub(y, apply(t, x));
    }

    /** An intensity-preserving pseudo-inverse: a picture [B,H,W,3] from which to start, holes filled from their surroundings. */
    Tensor pinv(Tensor y);

    /** Carries a residual y - A x over to a change of the picture, smooth where the measurement says nothing. */
    Tensor extend(Tensor residual);

    /** What spec and seed may not bring back, kept beside a measurement: {@code mask} [1,H,W,1] or {@code kernel} [1,1,k,k]. */
    default Map<String, Tensor> tensors() {
        return Map.of();
    }
}
