// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Constants packed in chunks, in bulk, are bit for bit what they are element by element. */
class PackingTest {
    private static final List<DType> REALS = List.of(DType.F32, DType.F16, DType.BF16);

    /** The law: each element by itself. */
    private static MemorySegment slowly(Constant c) {
        Shape s = c.data().shape();
        MemorySegment out = MemorySegment.ofArray(new byte[(int) c.bytes()]);
        for (long i = 0; i < c.data().size(); i++) {
            long to = i;
            if (c.layout() == Constant.Layout.FILTER) {
                long taps = s.size(2, 4);
                long row = s.size(1, 4);
                to = i / row * row + i % taps * s.dim(1) + i % row / taps;
            }
            Elements.put(out, c.dtype(), to, c.data().get(i));
        }
        return out;
    }

    private static MemorySegment inChunks(Constant c, long units, Arena arena) {
        MemorySegment out = arena.allocate(c.bytes());
        MemorySegment staging = arena.allocate(units * c.unit() * c.dtype().bytes());
        for (long from = 0; from < c.data().size(); from += units * c.unit()) {
            MemorySegment chunk = staging.asSlice(0, Math.min(staging.byteSize(), (c.data().size() - from) * c.dtype().bytes()));
            c.pack(from, chunk);
            MemorySegment.copy(chunk, 0, out, from * c.dtype().bytes(), chunk.byteSize());
        }
        return out;
    }

    /** The same bits, or both no number: what a processor makes of the payload of a NaN is its own. */
    private static void assertSameNumbers(Constant c, MemorySegment expected, MemorySegment actual) {
        if (expected.mismatch(actual) < 0) {
            return;
        }
        Tensor x = new Tensor(c.dtype(), c.shape(), expected);
        Tensor y = new Tensor(c.dtype(), c.shape(), actual);
        for (long i = 0; i < x.size(); i++) {
            assertEquals(Double.doubleToLongBits(x.get(i)), Double.doubleToLongBits(y.get(i)), c + ", element " + i);
        }
    }

    private static void check(Constant c, long units) {
        try (Arena arena = Arena.ofConfined()) {
            assertSameNumbers(c, slowly(c), inChunks(c, units, arena));
        }
    }

    /** Random bits as numbers of every type, in native memory and on the heap, at odd addresses too. */
    @Property(tries = 300)
    void chunksAreAsElements(@ForAll long seed) {
        Random r = new Random(seed);
        DType from = List.of(DType.F32, DType.F16, DType.BF16, DType.F64, DType.I32, DType.U8).get(r.nextInt(6));
        DType to = REALS.get(r.nextInt(3));
        boolean filter = r.nextBoolean();
        Shape s = filter ? Shape.of(1 + r.nextInt(9), 1 + r.nextInt(70), 1 + r.nextInt(4), 1 + r.nextInt(4)) : Shape.of(1
                + r.nextInt(9000));
        byte[] bytes = new byte[(int) s.size() * from.bytes() + 3];
        r.nextBytes(bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = r.nextBoolean() ? MemorySegment.ofArray(bytes) : arena.allocate(bytes.length)
                    .copyFrom(MemorySegment.ofArray(bytes));
            Tensor data = new Tensor(from, s, all.asSlice(r.nextInt(4), bytes.length - 3));
            Constant c = new Constant("c", data, to, filter ? Constant.Layout.FILTER : Constant.Layout.ROW_MAJOR);
            check(c, 1 + r.nextInt((int) (c.data().size() / c.unit())));
        }
    }

    /** Every number of 16 bits in every type. */
    @Test
    void everyNumberOfSixteenBits() {
        short[] all = new short[1 << 16];
        for (int i = 0; i < all.length; i++) {
            all[i] = (short) i;
        }
        for (DType from : List.of(DType.F16, DType.BF16)) {
            for (DType to : REALS) {
                check(new Constant("all", new Tensor(from, Shape.of(all.length), MemorySegment.ofArray(all)), to,
                        Constant.Layout.ROW_MAJOR), 5000);
            }
        }
    }

    @Test
    void wholeNumbers() {
        check(new Constant("ids", Tensor.of(Shape.of(3), 5L, -7L, Long.MAX_VALUE), DType.I64, Constant.Layout.ROW_MAJOR), 2);
        check(new Constant("ids", new Tensor(DType.I32, Shape.of(3), MemorySegment.ofArray(new int[] {5, -7, 1 << 30})),
                DType.I64, Constant.Layout.ROW_MAJOR), 2);
    }

    /** Filters of one tap or one channel lie as they are, and may be cut anywhere. */
    @Test
    void unitsAreOutputChannelsWhereElementsMove() {
        Tensor w = Tensor.of(Shape.of(2, 3, 2, 2), new float[24]);
        assertEquals(12, new Constant("w", w, DType.F32, Constant.Layout.FILTER).unit());
        assertEquals(1, new Constant("w", w, DType.F32, Constant.Layout.ROW_MAJOR).unit());
        assertEquals(1, new Constant("w", w.reshape(2, 12, 1, 1), DType.F32, Constant.Layout.FILTER).unit());
        assertEquals(1, new Constant("w", w.reshape(2, 1, 3, 4), DType.F32, Constant.Layout.FILTER).unit());
    }

    @Test
    void brokenChunksAreRefused() {
        Constant c = new Constant("conv.weight", Tensor.of(Shape.of(2, 3, 2, 2), new float[24]), DType.F16,
                Constant.Layout.FILTER);
        MemorySegment chunk = MemorySegment.ofArray(new byte[64]);
        for (long[] bad : new long[][] {{6, 24}, {0, 12}, {12, 48}, {0, 23}, {-12, 24}}) {
            String message = assertThrows(IllegalArgumentException.class, () -> c.pack(bad[0], chunk.asSlice(0, bad[1])))
                    .getMessage();
            assertEquals("constant 'conv.weight': expected a part of its 24 elements of F16 in multiples of 12, got " + bad[1]
                    + " bytes from element " + bad[0], message);
        }
        assertThrows(IllegalArgumentException.class, () -> new Constant("w", c.data(), DType.I64, Constant.Layout.FILTER));
    }
}
