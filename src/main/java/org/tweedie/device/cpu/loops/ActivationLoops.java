// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.Strips.STRIP;

import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.op.Fn;

/**
 * Computes y = fn^(order)(x), or that times g. Orders 0 and 1 of the functions that networks use have vector loops; all others
 * use {@link Fn#at} in double.
 */
public final class ActivationLoops {
    private static final long GRAIN = 1 << 14;
    /** This bound keeps exp finite, because it may be multiplied by 0. */
    private static final float FINITE = 88f;
    private static final float INFINITE = 89f;

    private ActivationLoops() {}

    /**
     * Returns the kernel of an activation.
     *
     * @param real the type of operands and result: F32 or BF16
     * @param n the number of elements
     * @param gated whether there is a factor g, the second input
     */
    public static CpuKernel kernel(Parallel parallel, DType real, Fn fn, int order, long n, boolean gated) {
        int chunks = Parallel.chunks(n, GRAIN);
        boolean brain = real == DType.BF16;
        int width = real.bytes();
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long g = gated ? p.in(1) : 0;
            long y = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long end = Parallel.from(k + 1, chunks, n, 64);
                for (long i = Parallel.from(k, chunks, n, 64); i < end; i += STRIP) {
                    int count = (int) Math.min(STRIP, end - i);
                    long f = gated || brain ? temp : y + 4 * i;
                    long e = temp + 4 * STRIP;
                    long wide = e + 4 * STRIP; // working memory for BF16
                    strip(fn, order, Brain.wide(real, x + width * i, wide, count), f, count, e);
                    if (gated) {
                        Strips.mul(f, Brain.wide(real, g + width * i, wide, count), brain ? f : y + 4 * i, count);
                    }
                    if (brain) {
                        Brain.narrow(f, y + 2 * i, count);
                    }
                }
            });
        });
    }

    private static void strip(Fn fn, int order, long x, long y, int n, long temp) {
        switch (fn) {
            case EXP -> Strips.exp(x, 1, 0, INFINITE, y, n);
            case SILU -> silu(fn, order, x, 1, y, n, temp);
            case QUICK_GELU -> silu(fn, order, x, 1.702f, y, n, temp);
            case GELU -> gelu(order, x, y, n, temp);
            case SQRT, RSQRT, SIN, COS, LOGVAR_CLAMP -> plain(fn, order, x, y, n);
        }
    }

    /** Computes x sigmoid(a x), or its slope, which is the slope of SiLU at a x. */
    private static void silu(Fn fn, int order, long x, float a, long y, int n, long e) {
        switch (order) {
            case 0 -> {
                Strips.exp(x, -a, 0, INFINITE, e, n);
                Strips.silu(x, e, y, n);
            }
            case 1 -> {
                Strips.exp(x, -a, 0, FINITE, e, n);
                Strips.siluSlope(x, a, e, y, n);
            }
            default -> plain(fn, order, x, y, n);
        }
    }

    /** The values (order 0) or slopes (order 1) of GELU, with working memory e. */
    static void gelu(int order, long x, long y, int n, long e) {
        if (order > 1) {
            plain(Fn.GELU, order, x, y, n);
            return;
        }
        Strips.square(x, e, n);
        Strips.exp(e, -0.5f, 0, INFINITE, e, n);
        if (order == 0) {
            Strips.gelu(x, e, y, n);
        } else {
            Strips.geluSlope(x, e, y, n);
        }
    }

    private static void plain(Fn fn, int order, long x, long y, int n) {
        for (int i = 0; i < n; i++) {
            VectorMath.set(y + 4L * i, (float) fn.at(order, VectorMath.get(x + 4L * i)));
        }
    }
}
