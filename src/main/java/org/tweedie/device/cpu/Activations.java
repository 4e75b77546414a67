// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.tweedie.device.cpu.VectorMath.L;
import static org.tweedie.device.cpu.VectorMath.S;
import static org.tweedie.device.cpu.VectorMath.load;
import static org.tweedie.device.cpu.VectorMath.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.tweedie.program.op.Fn;

/** y = fn^(order)(x), or that times g. */
final class Activations {
    static final long GRAIN = 1 << 14;

    /** A function with a vector loop of its own. */
    private enum Fast {
        SILU, SILU_SLOPE, GELU, GELU_SLOPE, QUICK_GELU, QUICK_GELU_SLOPE, EXP;

        static Fast of(Fn fn, int order) {
            return switch (fn) {
                case SILU -> order == 0 ? SILU : order == 1 ? SILU_SLOPE : null;
                case GELU -> order == 0 ? GELU : order == 1 ? GELU_SLOPE : null;
                case QUICK_GELU -> order == 0 ? QUICK_GELU : order == 1 ? QUICK_GELU_SLOPE : null;
                case EXP -> EXP;
                case SQRT, RSQRT, SIN, COS, LOGVAR_CLAMP -> null;
            };
        }
    }

    private Activations() {}

    /** @param n elements; @param gated whether there is a factor g, the second input */
    static Kernel kernel(Parallel parallel, Fn fn, int order, long n, boolean gated) {
        Fast fast = Fast.of(fn, order);
        int chunks = Parallel.chunks(n, GRAIN);
        return Kernel.of(p -> {
            long x = p.in(0);
            long g = gated ? p.in(1) : 0;
            long y = p.out(0);
            return () -> parallel.run(chunks, k -> {
                long from = Parallel.from(k, chunks, n, 64);
                int count = (int) (Parallel.from(k + 1, chunks, n, 64) - from);
                if (fast == null) {
                    plain(fn, order, x + 4 * from, g == 0 ? 0 : g + 4 * from, y + 4 * from, count);
                } else {
                    vector(fast, x + 4 * from, g == 0 ? 0 : g + 4 * from, y + 4 * from, count);
                }
            });
        });
    }

    private static void plain(Fn fn, int order, long x, long g, long y, int n) {
        for (int i = 0; i < n; i++) {
            double v = fn.at(order, VectorMath.get(x + 4L * i));
            VectorMath.set(y + 4L * i, (float) (g == 0 ? v : v * VectorMath.get(g + 4L * i)));
        }
    }

    /** One loop per function, so that each compiles to straight vector code. */
    private static void vector(Fast fast, long x, long g, long y, int n) {
        switch (fast) {
            case SILU -> silu(x, g, y, n);
            case SILU_SLOPE -> siluSlope(x, g, y, n);
            case GELU -> gelu(x, g, y, n);
            case GELU_SLOPE -> geluSlope(x, g, y, n);
            case QUICK_GELU -> quickGelu(x, g, y, n);
            case QUICK_GELU_SLOPE -> quickGeluSlope(x, g, y, n);
            case EXP -> exp(x, g, y, n);
        }
    }

    private static VectorMask<Float> mask(int i, int n) {
        return S.indexInRange(i, n);
    }

    private static void put(FloatVector v, long g, long y, int i, int n) {
        if (i + L <= n) {
            store(g == 0 ? v : v.mul(load(g + 4L * i)), y + 4L * i);
        } else {
            VectorMask<Float> m = mask(i, n);
            store(g == 0 ? v : v.mul(load(g + 4L * i, m)), y + 4L * i, m);
        }
    }

    private static FloatVector take(long x, int i, int n) {
        return i + L <= n ? load(x + 4L * i) : load(x + 4L * i, mask(i, n));
    }

    private static void silu(long x, long g, long y, int n) {
        for (int i = 0; i < n; i += L) {
            put(VectorMath.silu(take(x, i, n)), g, y, i, n);
        }
    }

    private static void siluSlope(long x, long g, long y, int n) {
        for (int i = 0; i < n; i += L) {
            put(VectorMath.siluSlope(take(x, i, n)), g, y, i, n);
        }
    }

    private static void gelu(long x, long g, long y, int n) {
        for (int i = 0; i < n; i += L) {
            put(VectorMath.gelu(take(x, i, n)), g, y, i, n);
        }
    }

    private static void geluSlope(long x, long g, long y, int n) {
        for (int i = 0; i < n; i += L) {
            put(VectorMath.geluSlope(take(x, i, n)), g, y, i, n);
        }
    }

    /** x sigmoid(1.702 x) = silu(1.702 x) / 1.702. */
    private static void quickGelu(long x, long g, long y, int n) {
        for (int i = 0; i < n; i += L) {
            FloatVector v = take(x, i, n);
            put(v.mul(VectorMath.sigmoid(v.mul(1.702f))), g, y, i, n);
        }
    }

    private static void quickGeluSlope(long x, long g, long y, int n) {
        for (int i = 0; i < n; i += L) {
            put(VectorMath.siluSlope(take(x, i, n).mul(1.702f)), g, y, i, n);
        }
    }

    private static void exp(long x, long g, long y, int n) {
        for (int i = 0; i < n; i += L) {
            put(VectorMath.exp(take(x, i, n)), g, y, i, n);
        }
    }
}
