// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

/** The element type and the shape of a value, which are known before it is computed. */
public record Type(DType dtype, Shape shape) {
    /** A real-valued tensor: F32 on devices that compute in single precision, double on the reference device. */
    public static Type real(int... dims) {
        return new Type(DType.F32, Shape.of(dims));
    }

    public static Type real(Shape shape) {
        return new Type(DType.F32, shape);
    }

    @Override
    public String toString() {
        return dtype + shape.toString();
    }
}
