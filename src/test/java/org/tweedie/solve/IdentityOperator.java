// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import org.tweedie.measure.MeasurementOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** The identity as an operator that is not declared linear; tests replace the methods that they are about. */
interface IdentityOperator extends MeasurementOperator {
    @Override
    default String spec() {
        return "identity";
    }

    @Override
    default Shape outShape(Shape image) {
        return image;
    }

    @Override
    default Value apply(Tracer t, Value x) {
        return x;
    }

    @Override
    default Tensor start(Tensor y) {
        return y;
    }
}
