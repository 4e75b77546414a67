// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import org.tweedie.program.Shape;

/** A shape and its numbers in row-major order. */
record Array(Shape shape, double[] data) {
    int dim(int axis) {
        return shape.dim(axis);
    }

    int size() {
        return data.length;
    }

    /** Offset of an index, whose entries beyond an extent of one (a broadcast axis) count as 0; leading axes may be missing. */
    int at(int[] index) {
        int lead = index.length - shape.rank();
        int offset = 0;
        for (int a = 0; a < shape.rank(); a++) {
            offset = offset * shape.dim(a) + (shape.dim(a) == 1 ? 0 : index[lead + a]);
        }
        return offset;
    }

    /** The index of an offset. */
    int[] index(int offset) {
        int[] index = new int[shape.rank()];
        for (int a = shape.rank() - 1; a >= 0; a--) {
            index[a] = offset % shape.dim(a);
            offset /= shape.dim(a);
        }
        return index;
    }
}
