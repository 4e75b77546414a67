// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A map A from pictures [B,H,W,3] in [-1,1] to measurements [B,h,w,c]. It is deterministic once it is constructed, and every solver takes
 * it as it is; {@link LinearOperator} adds what only a linear map has.
 */
public interface MeasurementOperator {
    /** The words from which it can be built again, as in {@code sr:4}. */
    String spec();

    /** The measurement's shape for pictures [B,H,W,3]. @throws IllegalArgumentException when the size does not fit, saying what would */
    Shape outShape(Shape image);

    /** How many numbers of a measurement carry information (those in the holes of an inpainting mask do not). */
    default long measurements(Shape image) {
        return outShape(image).size();
    }

    /** Traces A x for x [B,H,W,3]. */
    Value apply(Tracer t, Value x);

    /** Traces y - A x; it is zero where y says nothing. */
    default Value residual(Tracer t, Value y, Value x) {
        return t.sub(y, apply(t, x));
    }

    /** A picture [B,H,W,3] of the right brightness that explains y roughly, from which a solver may start. Holes are filled smoothly. */
    Tensor start(Tensor y);

    /** Tensors that spec and seed may not bring back, which are kept beside a measurement: {@code mask} [1,H,W,1] or {@code kernel} [1,1,k,k]. */
    default Map<String, Tensor> tensors() {
        return Map.of();
    }
}
