// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.lang.foreign.MemorySegment;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * A weight or table as a device holds it.
 *
 * @param name for messages
 * @param data as the program has it
 * @param dtype how it is stored: F32, F16, BF16 or I64
 */
public record Constant(String name, Tensor data, DType dtype, Layout layout) {
    /** In which order its elements lie. */
    public enum Layout {
        /** As in the program. */
        ROW_MAJOR,
        /** [Cout,Cin,kh,kw] laid out as [Cout,kh,kw,Cin]. */
        FILTER
    }

    public Constant {
        if (layout == Layout.FILTER && data.shape().rank() != 4) {
            throw new IllegalArgumentException("constant '" + name + "': expected a filter [Cout,Cin,kh,kw], got " + data.shape());
        }
    }

    /** As it lies in memory. */
    public Shape shape() {
        Shape s = data.shape();
        return layout == Layout.ROW_MAJOR ? s : Shape.of(s.dim(0), s.dim(2), s.dim(3), s.dim(1));
    }

    public long bytes() {
        return data.size() * dtype.bytes();
    }

    /** Its bytes for the device. */
    MemorySegment packed() {
        if (layout == Layout.ROW_MAJOR || data.shape().size(2, 4) == 1 || data.shape().dim(1) == 1) {
            return Elements.packed(data, dtype);
        }
        int cin = data.shape().dim(1);
        int taps = (int) data.shape().size(2, 4);
        MemorySegment s = MemorySegment.ofArray(new long[Math.toIntExact((bytes() + 7) / 8)]).asSlice(0, bytes());
        for (long row = 0; row < data.size(); row += (long) cin * taps) {
            for (int c = 0; c < cin; c++) {
                for (int k = 0; k < taps; k++) {
                    Elements.put(s, dtype, row + (long) k * cin + c, data.get(row + (long) c * taps + k));
                }
            }
        }
        return s;
    }
}
