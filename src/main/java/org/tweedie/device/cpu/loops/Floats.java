// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Tensor;

/** Copies tensors of any float type to F32 in native memory, rounding to nearest, and integers to I64. */
public final class Floats {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final long GRAIN = 1 << 18;

    private Floats() {}

    public static void copy(Tensor t, long to, Parallel parallel) {
        convert(t, to, parallel);
        if (t.data().isMapped()) {
            t.data().unload(); // the file's pages are not needed any more; otherwise weights would be resident twice
        }
    }

    private static void convert(Tensor t, long to, Parallel parallel) {
        long n = t.size();
        if (t.dtype() == DType.F32) {
            MemorySegment.copy(t.data(), 0, Native.ALL, to, 4 * n);
            return;
        }
        if (!t.dtype().isFloat()) {
            for (long i = 0; i < n; i++) {
                Native.ALL.set(Native.LONG, to + 8 * i, t.dtype() == DType.I64 ? t.data().get(Native.LONG, 8 * i)
                        : (long) t.get(i));
            }
            return;
        }
        // access is by address, because a segment may belong to the calling thread only
        MemorySegment from = t.data().isNative() ? Native.ALL : t.data();
        long base = t.data().isNative() ? t.data().address() : 0;
        int chunks = Parallel.chunks(n, GRAIN);
        parallel.run(chunks, (k, temp) -> {
            long first = Parallel.from(k, chunks, n, 1);
            int count = (int) (Parallel.from(k + 1, chunks, n, 1) - first);
            switch (t.dtype()) {
                case F16 -> half(from, base + 2 * first, to + 4 * first, count);
                case BF16 -> brain(from, base + 2 * first, to + 4 * first, count);
                default -> doubles(from, base + 8 * first, to + 4 * first, count);
            }
        });
    }

    private static void half(MemorySegment s, long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.FLOAT, to + 4L * i, Float.float16ToFloat(s.get(SHORT, from + 2L * i)));
        }
    }

    private static void brain(MemorySegment s, long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.INT, to + 4L * i, s.get(SHORT, from + 2L * i) << 16);
        }
    }

    private static void doubles(MemorySegment s, long from, long to, int n) {
        for (int i = 0; i < n; i++) {
            Native.ALL.set(Native.FLOAT, to + 4L * i, (float) s.get(Native.DOUBLE, from + 8L * i));
        }
    }
}
