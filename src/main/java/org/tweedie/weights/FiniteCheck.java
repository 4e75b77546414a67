// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;
import org.tweedie.program.Tensor;

/** Searches tensors for NaN and infinity. */
final class FiniteCheck {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private FiniteCheck() {
    }

    /**
     * Checks all tensors.
     *
     * @throws IllegalStateException naming the first tensor, in the map's order, that has a NaN or an infinity
     */
    static void check(String where, Map<String, Tensor> tensors) {
        for (var e : tensors.entrySet()) {
            Tensor t = e.getValue();
            if (t.dtype().isFloat() && !allFinite(t)) {
                long i = 0;
                while (Double.isFinite(t.get(i))) {
                    i++;
                }
                throw new IllegalStateException(where + ": tensor " + Quote.of(e.getKey()) + " " + t + " has " + t.get(i)
                        + " at element "
                        + i + "; the weights are damaged; download them again");
            }
        }
    }

    /**
     * Checks eight bytes at a time. A number is not finite when its exponent bits are all ones. In exactly that case, adding the
     * exponent's lowest bit to the exponent bits carries into the place of the sign, which the mask has cleared.
     */
    private static boolean allFinite(Tensor t) {
        long exponent = switch (t.dtype()) {
            case F16 -> 0x7C00_7C00_7C00_7C00L;
            case BF16 -> 0x7F80_7F80_7F80_7F80L;
            case F32 -> 0x7F80_0000_7F80_0000L;
            default -> 0x7FF0_0000_0000_0000L;
        };
        long lowest = switch (t.dtype()) {
            case F16 -> 0x0400_0400_0400_0400L;
            case BF16 -> 0x0080_0080_0080_0080L;
            case F32 -> 0x0080_0000_0080_0000L;
            default -> 0x0010_0000_0000_0000L;
        };
        long sign = exponent + lowest;
        MemorySegment data = t.data();
        long whole = data.byteSize() & ~7L;
        long found = 0;
        for (long at = 0; at < whole; at += 8) {
            found |= (data.get(LONG, at) & exponent) + lowest;
        }
        long rest = 0;
        for (long at = whole; at < data.byteSize(); at++) {
            rest |= (data.get(ValueLayout.JAVA_BYTE, at) & 0xFFL) << 8 * (at - whole);
        }
        found |= (rest & exponent) + lowest;
        return (found & sign) == 0;
    }
}
