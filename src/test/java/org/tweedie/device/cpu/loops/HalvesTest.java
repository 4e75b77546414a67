// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests the conversions of 16-bit numbers on every number of 16 bits. */
class HalvesTest {
    private static final int ALL = 1 << 16;
    private static final Parallel PARALLEL = new Parallel(3);

    @AfterAll
    static void close() {
        PARALLEL.close();
    }

    /** Returns all numbers of 16 bits in order, at an odd address, and the first of them once more behind. */
    private static MemorySegment numbers(Arena arena, int more) {
        MemorySegment s = arena.allocate(2L * (ALL + more) + 1, 64).asSlice(1);
        for (int i = 0; i < ALL + more; i++) {
            s.set(Native.SHORT, 2L * i, (short) i);
        }
        return s;
    }

    @Test
    void everyHalfIsExactInF32() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = numbers(arena, 13);
            MemorySegment to = arena.allocate(4L * (ALL + 13), 64);
            Halves.toFloats(from.address(), to.address(), ALL + 13);
            for (int i = 0; i < ALL + 13; i++) {
                float expected = Float.float16ToFloat((short) i);
                float got = to.get(Native.FLOAT, 4L * i);
                assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(got), "half " + Integer.toHexString(i));
            }
        }
    }

    @Test
    void everyHalfIsRoundedToBrains() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate(2L * (ALL + 13), 64);
            Halves.toBrains(numbers(arena, 13).address(), to.address(), ALL + 13);
            for (int i = 0; i < ALL + 13; i++) {
                short expected = Rounding.toBf16(Float.float16ToFloat((short) i));
                assertEquals(expected, to.get(Native.SHORT, 2L * i), "half " + Integer.toHexString(i));
            }
        }
    }

    @Test
    void everyBrainComesBackFromF32() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = numbers(arena, 5);
            MemorySegment floats = arena.allocate(4L * (ALL + 5), 64);
            MemorySegment back = arena.allocate(2L * (ALL + 5), 64);
            Brain.widenExactly(from.address(), floats.address(), ALL + 5);
            Brain.narrow(floats.address(), back.address(), ALL + 5);
            for (int i = 0; i < ALL + 5; i++) {
                assertEquals(i << 16, floats.get(Native.INT, 4L * i));
                assertEquals(Rounding.toBf16(Float.intBitsToFloat(i << 16)), back.get(Native.SHORT, 2L * i));
            }
        }
    }

    /** Ties, the numbers beside them, and what rounds up to infinity or is a NaN. */
    @Test
    void floatsAreRoundedToTheNearestBrain() {
        int[] upper = {0x0000, 0x0001, 0x007F, 0x0080, 0x3F80, 0x3F81, 0x7F7F, 0x7F80, 0x7F81, 0x7FFF, 0x8000, 0xBF81, 0xFF7F,
            0xFF80};
        int[] lower = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
        int n = upper.length * lower.length;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(4L * n, 64);
            MemorySegment to = arena.allocate(2L * n, 64);
            for (int i = 0; i < n; i++) {
                from.set(Native.INT, 4L * i, upper[i / lower.length] << 16 | lower[i % lower.length]);
            }
            Brain.narrow(from.address(), to.address(), n);
            for (int i = 0; i < n; i++) {
                assertEquals(Rounding.toBf16(from.get(Native.FLOAT, 4L * i)), to.get(Native.SHORT, 2L * i),
                        Integer.toHexString(from.get(Native.INT, 4L * i)));
            }
        }
    }

    /** A tensor of more than one chunk, of each type, in native memory and in an array of bytes. */
    @Test
    void tensorsOfEveryTypeAreCopied() {
        int n = 600_011;
        for (DType type : new DType[] {DType.F16, DType.BF16, DType.F32, DType.F64}) {
            MemorySegment bytes = MemorySegment.ofArray(new byte[n * type.bytes()]);
            for (int i = 0; i < n; i++) {
                float x = (i - 300_000) / 256f;
                switch (type) {
                    case F16 -> bytes.set(Native.SHORT, 2L * i, Float.floatToFloat16(x));
                    case BF16 -> bytes.set(Native.SHORT, 2L * i, Rounding.toBf16(x));
                    case F32 -> bytes.set(Native.FLOAT, 4L * i, x);
                    default -> bytes.set(Native.DOUBLE, 8L * i, x);
                }
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment outside = arena.allocate(bytes.byteSize(), 64).copyFrom(bytes);
                for (MemorySegment data : new MemorySegment[] {bytes, outside}) {
                    Tensor t = new Tensor(type, Shape.of(n), data);
                    MemorySegment floats = arena.allocate(4L * n, 64);
                    Floats.copy(t, floats.address(), PARALLEL);
                    assertArrayEquals(t.floats(), new Tensor(DType.F32, t.shape(), floats).floats(), type.toString());
                    MemorySegment brains = arena.allocate(2L * n, 64);
                    Floats.copy(t, DType.BF16, brains.address(), PARALLEL);
                    for (int i = 0; i < n; i++) {
                        assertEquals(Rounding.toBf16((float) t.get(i)), brains.get(Native.SHORT, 2L * i), type + " at " + i);
                    }
                }
            }
        }
    }

    @Test
    void integersBecomeI64() {
        Tensor t = new Tensor(DType.I32, Shape.of(3), MemorySegment.ofArray(new int[] {-1, 0, 7}));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate(24, 8);
            Floats.copy(t, to.address(), PARALLEL);
            assertArrayEquals(new long[] {-1, 0, 7}, new Tensor(DType.I64, t.shape(), to).longs());
        }
    }
}
