// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * A contiguous, row-major tensor in device memory, as it is given to a kernel.
 *
 * @param name the name for messages
 * @param dtype the type of its elements: F32, F16, BF16 or I64
 * @param address address of its first element in the device's address space, a multiple of 16 or more for every buffer of a plan
 */
public record Buffer(String name, DType dtype, Shape shape, long address) {
    public long size() {
        return shape.size();
    }

    public long bytes() {
        return shape.size() * dtype.bytes();
    }

    /** A view of these bytes in another shape of equal size. */
    public Buffer reshape(int... dims) {
        Shape to = Shape.of(dims);
        if (to.size() != shape.size()) {
            throw new IllegalArgumentException("buffer " + this + ": cannot be seen as " + to);
        }
        return new Buffer(name, dtype, to, address);
    }

    @Override
    public String toString() {
        return name + ":" + dtype + shape;
    }
}
