// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** A measurement operator whose A is a linear map. */
public interface LinearOperator extends MeasurementOperator {
    /** Traces A^T y, the exact adjoint, which does not preserve brightness. @param image the picture's shape [B,H,W,3] */
    Value adjoint(Tracer t, Value y, Shape image);

    /** Converts a residual y - A x to a change of the picture [B,H,W,3] that is smooth in places without measured values. */
    Tensor extend(Tensor residual);

    /**
     * Returns the operator as a linear one.
     *
     * @throws IllegalArgumentException unless it is linear; the message names the caller that needs it
     */
    static LinearOperator require(MeasurementOperator a, String who) {
        if (a instanceof LinearOperator linear) {
            return linear;
        }
        throw new IllegalArgumentException(who + ": expected a linear operator, got '" + a.spec()
                + "'; choose another solver or task");
    }
}
