// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * A map A from pictures [B,H,W,3] in [-1,1] to measurements [B,h,w,c]. It is deterministic once it is constructed, and
 * solvers use it through this interface; {@link LinearOperator} adds the methods of linear maps.
 */
public interface MeasurementOperator {
    /** The task from which the operator can be made again, for example {@code sr:4}. */
    String spec();

    /**
     * Returns the measurement's shape for pictures [B,H,W,3].
     *
     * @throws IllegalArgumentException when the size does not fit, naming a size that does
     */
    Shape outShape(Shape image);

    /** The number of measured values: all values of a measurement but those in the holes of an inpainting mask. */
    default long measurements(Shape image) {
        return outShape(image).size();
    }

    /** Traces A x for x [B,H,W,3]. */
    Value apply(Tracer t, Value x);

    /** Traces y - A x, which is zero in holes. */
    default Value residual(Tracer t, Value y, Value x) {
        return t.sub(y, apply(t, x));
    }

    /**
     * Returns a picture [B,H,W,3] of the right brightness that agrees roughly with y, from which a solver may start. Holes
     * are filled smoothly.
     */
    Tensor start(Tensor y);

    /**
     * The tensors that may not follow from spec and seed alone, so that they are stored with a measurement: {@code mask}
     * [1,H,W,1] or {@code kernel} [1,1,k,k].
     */
    default Map<String, Tensor> tensors() {
        return Map.of();
    }
}
