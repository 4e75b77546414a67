// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tweedie.program.Rounding;

/** Tests the conversions between F32 and BF16 against their definition in Rounding. */
class BrainTest {
    /** All 65,536 patterns come back as they were, but NaN, which becomes the one that Rounding gives. */
    @Test
    void everyPatternIsWidenedAndNarrowedBack() {
        try (Arena arena = Arena.ofConfined()) {
            int n = 1 << 16;
            MemorySegment x = arena.allocate(2L * n, 64);
            MemorySegment y = arena.allocate(4L * n, 64);
            MemorySegment z = arena.allocate(2L * n, 64);
            for (int i = 0; i < n; i++) {
                x.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
            }
            Brain.widen(x.address(), y.address(), n);
            Brain.narrow(y.address(), z.address(), n);
            for (int i = 0; i < n; i++) {
                float wide = y.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                assertEquals(i << 16, y.getAtIndex(ValueLayout.JAVA_INT, i), "widened " + i);
                assertEquals(Rounding.toBf16(wide), z.getAtIndex(ValueLayout.JAVA_SHORT, i), "narrowed " + i);
            }
        }
    }

    /** Random bits, ties, overflow to infinity, denormal numbers and NaN; in place, and with a rest that is no whole vector. */
    @Test
    void narrowsToTheNearestAndTiesToEven() {
        Random random = new Random(1);
        for (int n : new int[] {1, VectorMath.L - 1, VectorMath.L, 1003, 4096}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment x = arena.allocate(4L * n + 64, 64);
                float[] in = new float[n];
                for (int i = 0; i < n; i++) {
                    int bits = random.nextInt();
                    bits = switch (i % 5) {
                        case 0 -> bits & 0xFFFF0000 | 0x8000; // a tie
                        case 1 -> bits | 0x7F800000; // infinity or NaN
                        case 2 -> bits & 0x807FFFFF; // denormal
                        case 3 -> bits & 0x80000000 | 0x7F7FFFFF; // overflows
                        default -> bits;
                    };
                    in[i] = Float.intBitsToFloat(bits);
                    x.setAtIndex(ValueLayout.JAVA_INT, i, bits);
                }
                short behind = x.getAtIndex(ValueLayout.JAVA_SHORT, n);
                Brain.narrow(x.address(), x.address(), n);
                for (int i = 0; i < n; i++) {
                    assertEquals(Rounding.toBf16(in[i]), x.getAtIndex(ValueLayout.JAVA_SHORT, i), in[i] + " at " + i
                            + " of " + n);
                }
                if (n == 1) {
                    assertEquals(behind, x.getAtIndex(ValueLayout.JAVA_SHORT, n), "narrow wrote beyond its last number");
                }
            }
        }
    }
}
