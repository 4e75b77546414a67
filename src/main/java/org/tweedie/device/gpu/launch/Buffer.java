// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * A tensor in device memory as a kernel is told of it: contiguous, row-major.
 *
 * @param name who it is, for messages
 * @param dtype how its elements are stored: F32, F16, BF16 or I64
 * @param address of its first element in the device's address space, a multiple of 16 or more for every buffer of a plan
 */
public record Buffer(String name, DType dtype, Shape shape, long address) {
    public long size() {
        return shape.size();
    }

    public long bytes() {
        return shape.size() * dtype.bytes();
    }

    /** The same bytes under another shape of the same size. */
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
