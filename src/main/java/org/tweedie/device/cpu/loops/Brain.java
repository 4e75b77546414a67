// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.VectorMath.L;
import static org.tweedie.device.cpu.loops.VectorMath.S;
import static org.tweedie.device.cpu.loops.VectorMath.load;
import static org.tweedie.device.cpu.loops.VectorMath.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;

/**
 * Converts between BF16 in memory and the F32 that loops compute with. A loop widens the block that it works on into working
 * memory that stays in the cache, computes there as it does in F32, and narrows the result, rounding to nearest even.
 *
 * <p>{@link #widen} works on whole vectors, as the loops do, so it rounds n up. All other methods convert exactly n numbers.
 */
final class Brain {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final MemorySegment ALL = Native.ALL;
    /** The species of as many shorts as there are floats in a vector. */
    private static final VectorSpecies<Short> HALF = VectorSpecies.of(short.class,
            VectorShape.forBitSize(S.vectorBitSize() / 2));
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int NAN = 0x7FFF; // as Rounding.toBf16 gives
    private static final long GRAIN = 1 << 15;

    private Brain() {}

    static FloatVector loadWide(long x) {
        return ((IntVector) ShortVector.fromMemorySegment(HALF, ALL, x, Native.ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0)).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    static void storeNarrow(FloatVector v, long y) {
        IntVector bits = v.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
        VectorMask<Integer> nan = v.test(VectorOperators.IS_NAN).cast(INTS);
        ((ShortVector) rounded.blend(NAN, nan).convertShape(VectorOperators.I2S, HALF, 0))
                .intoMemorySegment(ALL, y, Native.ORDER);
    }

    static float get(long x) {
        return Rounding.fromBf16(ALL.get(SHORT, x));
    }

    static void set(long y, float x) {
        ALL.set(SHORT, y, Rounding.toBf16(x));
    }

    /** Widens n numbers from x to y. */
    static void widen(long x, long y, int n) {
        for (int i = 0; i < n; i += L) {
            store(loadWide(x + 2L * i), y + 4L * i);
        }
    }

    /** Widens exactly n numbers from x to y. */
    static void widenExactly(long x, long y, int n) {
        int whole = n / L * L;
        widen(x, y, whole);
        for (int i = whole; i < n; i++) {
            VectorMath.set(y + 4L * i, get(x + 2L * i));
        }
    }

    /** Narrows exactly n numbers from x to y, which may be the same address. */
    static void narrow(long x, long y, int n) {
        int i = 0;
        for (; i <= n - L; i += L) {
            storeNarrow(load(x + 4L * i), y + 2L * i);
        }
        for (; i < n; i++) {
            set(y + 2L * i, VectorMath.get(x + 4L * i));
        }
    }

    /** Widens n rows of one vector, which are a step apart, to packed rows. */
    static void widenColumns(long x, long step, int n, long y) {
        for (int i = 0; i < n; i++) {
            store(loadWide(x + i * step), y + 4L * L * i);
        }
    }

    /** Narrows the first {@code width} columns of n packed rows to rows that are a step apart. */
    static void narrowColumns(long x, long y, long step, int n, int width) {
        if (width < L) {
            for (int i = 0; i < n; i++) {
                narrow(x + 4L * L * i, y + i * step, width);
            }
            return;
        }
        for (int i = 0; i < n; i++) {
            storeNarrow(load(x + 4L * L * i), y + i * step);
        }
    }

    /**
     * Returns the address of numbers as F32: their own where they are stored so, else that of their copy in working memory.
     *
     * @param n is rounded up to whole vectors
     */
    static long wide(DType real, long x, long temp, int n) {
        if (real == DType.F32) {
            return x;
        }
        widen(x, temp, n);
        return temp;
    }

    /** Converts n numbers between F32 and BF16 on all threads. */
    static void cast(Parallel parallel, long x, DType from, long y, long n) {
        int chunks = Parallel.chunks(n, GRAIN);
        parallel.run(chunks, (k, temp) -> {
            long i = Parallel.from(k, chunks, n, 64);
            int count = (int) (Parallel.from(k + 1, chunks, n, 64) - i);
            if (from == DType.BF16) {
                widen(x + 2 * i, y + 4 * i, count);
            } else {
                narrow(x + 4 * i, y + 2 * i, count);
            }
        });
    }
}
