// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** A measurement operator whose A is a linear map. */
public interface LinearOperator extends MeasurementOperator {
    /** Traces A^T y, the true adjoint, which does not keep intensities. @param image the picture's shape [B,H,W,3] */
    Value adjoint(Tracer t, Value y, Shape image);

    /** Carries a residual y - A x over to a change of the picture [B,H,W,3], which is smooth where the measurement says nothing. */
    Tensor extend(Tensor residual);

    /** @throws IllegalArgumentException unless the operator is linear; the message names who needs that */
    static LinearOperator require(MeasurementOperator a, String who) {
        if (a instanceof LinearOperator linear) {
            return linear;
        }
        throw new IllegalArgumentException(who + ": expected a linear operator, got '" + a.spec() + "'; choose another solver or task");
    }
}
