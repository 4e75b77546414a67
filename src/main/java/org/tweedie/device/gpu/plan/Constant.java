// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.plan;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * A weight or table as a device holds it.
 *
 * @param name the name for messages
 * @param data the tensor of the program
 * @param dtype the type in which it is stored: F32, F16, BF16 or I64
 */
public record Constant(String name, Tensor data, DType dtype, Layout layout) {
    /** The order of the elements in memory. */
    public enum Layout {
        /** The order of the program's tensor. */
        ROW_MAJOR,
        /** A filter [Cout,Cin,kh,kw] stored as [Cout,kh,kw,Cin]. */
        FILTER
    }

    public Constant {
        if (layout == Layout.FILTER && (data.shape().rank() != 4 || !dtype.isFloat())) {
            throw new IllegalArgumentException("constant '" + name + "': expected a filter [Cout,Cin,kh,kw] of a real type, got "
                    + dtype + data.shape());
        }
    }

    /** The shape in memory. */
    public Shape shape() {
        Shape s = data.shape();
        return layout == Layout.ROW_MAJOR ? s : Shape.of(s.dim(0), s.dim(2), s.dim(3), s.dim(1));
    }

    public long bytes() {
        return data.size() * dtype.bytes();
    }

    /**
     * The number of elements that are packed together: a chunk has a multiple of it. For a filter it is all of one output
     * channel.
     */
    public long unit() {
        return moves() ? data.shape().size(1, 4) : 1;
    }

    /**
     * Writes a part of the constant as the device is to hold it; one copy from the tensor's memory suffices where type and order
     * are the tensor's.
     *
     * @param from the first element, in the order of the layout
     * @param chunk memory to fill; its size says how many elements are written
     * @throws IllegalArgumentException when the part exceeds the constant or does not consist of whole units
     */
    public void pack(long from, MemorySegment chunk) {
        long n = chunk.byteSize() / dtype.bytes();
        if (from < 0 || from + n > data.size() || n * dtype.bytes() != chunk.byteSize() || from % unit() != 0
                || n % unit() != 0) {
            throw new IllegalArgumentException("constant '" + name + "': expected a part of its " + data.size() + " elements of "
                    + dtype + " in multiples of "
                    + unit() + ", got " + chunk.byteSize() + " bytes from element " + from);
        }
        if (!moves()) {
            Elements.pack(data, from, dtype, chunk);
        } else if (dtype.bytes() == 2) {
            filters16(from, chunk);
        } else {
            filters32(from, chunk);
        }
    }

    /** Tells whether elements are stored in another order than the tensor's. */
    private boolean moves() {
        return layout == Layout.FILTER && data.shape().size(2, 4) > 1 && data.shape().dim(1) > 1;
    }

    private void filters16(long from, MemorySegment chunk) {
        int cin = data.shape().dim(1);
        int taps = (int) data.shape().size(2, 4);
        short[] row = new short[cin * taps];
        short[] moved = new short[row.length];
        for (long at = 0; at < chunk.byteSize(); at += 2L * row.length) {
            Elements.pack(data, from + at / 2, dtype, MemorySegment.ofArray(row));
            for (int k = 0; k < taps; k++) {
                for (int c = 0; c < cin; c++) {
                    moved[k * cin + c] = row[c * taps + k];
                }
            }
            MemorySegment.copy(moved, 0, chunk, ValueLayout.JAVA_SHORT_UNALIGNED, at, row.length);
        }
    }

    private void filters32(long from, MemorySegment chunk) {
        int cin = data.shape().dim(1);
        int taps = (int) data.shape().size(2, 4);
        int[] row = new int[cin * taps];
        int[] moved = new int[row.length];
        for (long at = 0; at < chunk.byteSize(); at += 4L * row.length) {
            Elements.pack(data, from + at / 4, dtype, MemorySegment.ofArray(row));
            for (int k = 0; k < taps; k++) {
                for (int c = 0; c < cin; c++) {
                    moved[k * cin + c] = row[c * taps + k];
                }
            }
            MemorySegment.copy(moved, 0, chunk, ValueLayout.JAVA_INT_UNALIGNED, at, row.length);
        }
    }
}
