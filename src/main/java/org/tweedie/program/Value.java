// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

/** One SSA value of one program: its number there and its type. */
public record Value(int id, Type type) {
    /** The shape. */
    public Shape shape() {
        return type.shape();
    }

    /** The extent of an axis; negative numbers count from the end. */
    public int dim(int axis) {
        return type.shape().dim(axis);
    }

    @Override
    public String toString() {
        return "%" + id + ":" + type;
    }
}
