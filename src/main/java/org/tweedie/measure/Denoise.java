// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** The identity: noise is all that corrupts. {@code denoise}. */
public record Denoise() implements MeasurementOperator {
    @Override
    public String spec() {
        return "denoise";
    }

    @Override
    public Shape outShape(Shape image) {
        return image;
    }

    @Override
    public Value apply(Tracer t, Value x) {
        return x;
    }

    @Override
    public Value adjoint(Tracer t, Value y, Shape image) {
        return y;
    }

    @Override
    public Tensor pinv(Tensor y) {
        return y;
    }

    /** The residual itself. */
    @Override
    public Tensor extend(Tensor residual) {
        return residual;
    }
}
