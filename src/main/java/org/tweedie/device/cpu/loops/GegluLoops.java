// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.Strips.STRIP;

import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * Loops of the gated unit y = a gelu(b) for x = [a, b] [R,2C] and y [R,C]. They pass over x once, a strip of a row at a time.
 * Strips are computed in
 * working memory and copied from there, because a row may end within a vector.
 */
public final class GegluLoops {
    private static final long GRAIN = 1 << 14;
    private static final long BYTES = 4L * STRIP;

    /**
     * A strip of n pairs in F32: addresses of a and b, of the strip in the second operand and in the result, and of working
     * memory.
     */
    private interface Body {
        /** @param half the bytes from the first half of a row to the second, in an operand or result with rows of 2C */
        void run(long a, long b, long second, long out, long half, int n, long temp);
    }

    private GegluLoops() {}

    /** x [..,2C] to y [..,C]. */
    public static CpuKernel forward(Parallel parallel, DType real, Shape x) {
        return kernel(parallel, real, x, 0, false, (a, b, none, y, half, n, temp) -> {
            ActivationLoops.gelu(0, b, temp, n, temp + BYTES);
            Strips.mul(temp, a, temp, n);
            MoveLoops.copy(temp, y, 4L * n);
        });
    }

    /** x [..,2C] and dy [..,C] to dx [..,2C]; dx may be at the address of x. */
    public static CpuKernel vjp(Parallel parallel, DType real, Shape x) {
        return kernel(parallel, real, x, 1, true, (a, b, dy, dx, half, n, temp) -> {
            long db = temp + BYTES;
            ActivationLoops.gelu(0, b, temp, n, temp + 2 * BYTES);
            Strips.mul(temp, dy, temp, n);
            ActivationLoops.gelu(1, b, db, n, temp + 2 * BYTES);
            Strips.mul(dy, a, temp + 2 * BYTES, n);
            Strips.mul(db, temp + 2 * BYTES, db, n);
            MoveLoops.copy(temp, dx, 4L * n);
            MoveLoops.copy(db, dx + half, 4L * n);
        });
    }

    /** x and tx [..,2C] to ty [..,C]. */
    public static CpuKernel jvp(Parallel parallel, DType real, Shape x) {
        return kernel(parallel, real, x, 2, false, (a, b, ta, ty, half, n, temp) -> {
            long through = temp + BYTES;
            ActivationLoops.gelu(0, b, temp, n, temp + 2 * BYTES);
            Strips.mul(temp, ta, temp, n);
            ActivationLoops.gelu(1, b, through, n, temp + 2 * BYTES);
            Strips.mul(ta + half, a, temp + 2 * BYTES, n);
            Strips.mul(through, temp + 2 * BYTES, through, n);
            Strips.add(through, temp, temp, n);
            MoveLoops.copy(temp, ty, 4L * n);
        });
    }

    /**
     * @param second length of a row of the second operand in units of C; 0 where there is none
     * @param wide the result has rows of 2C, not of C
     */
    private static CpuKernel kernel(Parallel parallel, DType real, Shape x, int second, boolean wide, Body body) {
        int c = x.dim(-1) / 2;
        long rows = x.size() / (2L * c);
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / c));
        return CpuKernel.of(p -> {
            long px = p.in(0);
            long ps = second > 0 ? p.in(1) : 0;
            long py = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long to = Parallel.from(k + 1, chunks, rows, 1);
                for (long r = Parallel.from(k, chunks, rows, 1); r < to; r++) {
                    if (real == DType.F32) {
                        for (int i = 0; i < c; i += STRIP) {
                            long a = px + 4 * (2 * r * c + i);
                            body.run(a, a + 4L * c, ps + 4 * (second * r * c + i), py + 4 * ((wide ? 2 : 1) * r * c + i), 4L * c,
                                    Math.min(STRIP, c - i), temp);
                        }
                    } else {
                        brainRow(px + 4 * r * c, ps + 2 * second * r * c, second, py + (wide ? 4 : 2) * r * c, wide, c, body,
                                temp);
                    }
                }
            });
        });
    }

    /** Does a row in BF16 at these addresses. Its strips are half as long, because working memory holds the operands as well. */
    private static void brainRow(long x, long second, int halves, long y, boolean wide, int c, Body body, long temp) {
        long a = temp + 3 * BYTES;
        long b = a + BYTES / 2;
        long s = b + BYTES / 2;
        long out = s + BYTES;
        for (int i = 0; i < c; i += STRIP / 2) {
            int n = Math.min(STRIP / 2, c - i);
            Brain.widen(x + 2L * i, a, n);
            Brain.widen(x + 2L * (c + i), b, n);
            for (int h = 0; h < halves; h++) {
                Brain.widen(second + 2L * (h * c + i), s + h * BYTES / 2, n);
            }
            body.run(a, b, s, out, BYTES / 2, n, temp);
            Brain.narrow(out, y + 2L * i, n);
            if (wide) {
                Brain.narrow(out + BYTES / 2, y + 2L * (c + i), n);
            }
        }
    }
}
