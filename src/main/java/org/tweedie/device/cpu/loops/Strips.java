// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.VectorMath.L;
import static org.tweedie.device.cpu.loops.VectorMath.all;
import static org.tweedie.device.cpu.loops.VectorMath.get;
import static org.tweedie.device.cpu.loops.VectorMath.load;
import static org.tweedie.device.cpu.loops.VectorMath.set;
import static org.tweedie.device.cpu.loops.VectorMath.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Loops over a strip of contiguous floats that stays in the first cache. A kernel runs a few of them one after another, with
 * working memory between. Each loop is small enough for the compiler to keep in vector registers (a loop that inlines too much
 * falls back to objects, which is ten times slower), and because kernels share the loops, each is compiled early.
 *
 * <p>Unless said otherwise they work on whole vectors: n is rounded up. Every buffer ends on a cache line, so the bytes that are
 * touched beyond its last element are its own padding.
 */
final class Strips {
    /** The floats of a strip; working memory holds several. */
    static final int STRIP = 2048;
    /** The vectors that one F32 accumulator sums before the sum is added to a double. */
    private static final int RUN = 64;

    private static final float RSQRT_2PI = (float) (1 / Math.sqrt(2 * Math.PI));

    private Strips() {}

    /** Computes y = exp(min(scale x + shift, max)). */
    static void exp(long x, float scale, float shift, float max, long y, int n) {
        FloatVector a = all(scale);
        FloatVector b = all(shift);
        for (int i = 0; i < n; i += L) {
            store(VectorMath.exp(load(x + 4L * i).fma(a, b), max), y + 4L * i);
        }
    }

    /** Computes y = x x. */
    static void square(long x, long y, int n) {
        for (int i = 0; i < n; i += L) {
            FloatVector v = load(x + 4L * i);
            store(v.mul(v), y + 4L * i);
        }
    }

    /** Computes y = x / (1 + e), which is SiLU, given e = exp(-x). */
    static void silu(long x, long e, long y, int n) {
        for (int i = 0; i < n; i += L) {
            store(load(x + 4L * i).div(load(e + 4L * i).add(1f)), y + 4L * i);
        }
    }

    /**
     * Computes y = s + a x s (1 - s) with s = 1/(1 + e), which is the slope of SiLU at a x, given finite e = exp(-a x). The
     * factor 1 - s is computed as e s, because the difference would cancel.
     */
    static void siluSlope(long x, float a, long e, long y, int n) {
        for (int i = 0; i < n; i += L) {
            FloatVector v = load(e + 4L * i);
            FloatVector s = all(1).div(v.add(1f));
            store(load(x + 4L * i).mul(a).mul(v.mul(s)).fma(s, s), y + 4L * i);
        }
    }

    /** Computes y = x Phi(x), given e = exp(-x^2/2). */
    static void gelu(long x, long e, long y, int n) {
        for (int i = 0; i < n; i += L) {
            FloatVector v = load(x + 4L * i);
            store(v.mul(VectorMath.normalCdf(v, load(e + 4L * i))), y + 4L * i);
        }
    }

    /** Computes y = Phi(x) + x phi(x), given e = exp(-x^2/2). */
    static void geluSlope(long x, long e, long y, int n) {
        for (int i = 0; i < n; i += L) {
            FloatVector v = load(x + 4L * i);
            FloatVector w = load(e + 4L * i);
            store(v.mul(RSQRT_2PI).fma(w, VectorMath.normalCdf(v, w)), y + 4L * i);
        }
    }

    /** z = x + y. */
    static void add(long x, long y, long z, int n) {
        for (int i = 0; i < n; i += L) {
            store(load(x + 4L * i).add(load(y + 4L * i)), z + 4L * i);
        }
    }

    /** Computes z = x y. */
    static void mul(long x, long y, long z, int n) {
        for (int i = 0; i < n; i += L) {
            store(load(x + 4L * i).mul(load(y + 4L * i)), z + 4L * i);
        }
    }

    /** Computes y = a x + b. */
    static void affine(long x, float a, float b, long y, int n) {
        FloatVector va = all(a);
        FloatVector vb = all(b);
        for (int i = 0; i < n; i += L) {
            store(load(x + 4L * i).fma(va, vb), y + 4L * i);
        }
    }

    /** Computes z = (x - along) y scale. */
    static void project(long x, float along, long y, float scale, long z, int n) {
        for (int i = 0; i < n; i += L) {
            store(load(x + 4L * i).sub(along).mul(load(y + 4L * i)).mul(scale), z + 4L * i);
        }
    }

    /** Sets x to a value, exactly n times. */
    static void fill(long x, float value, int n) {
        FloatVector v = all(value);
        int i = 0;
        for (; i <= n - L; i += L) {
            store(v, x + 4L * i);
        }
        for (; i < n; i++) {
            set(x + 4L * i, value);
        }
    }

    /** Returns the largest of exactly n numbers and ignores NaN. */
    static float max(long x, int n) {
        FloatVector v = all(Float.NEGATIVE_INFINITY);
        int i = 0;
        for (; i <= n - L; i += L) {
            FloatVector w = load(x + 4L * i);
            v = v.blend(w, w.compare(VectorOperators.GT, v)); // the vector max also orders NaN and -0, at four times the cost
        }
        float[] lanes = new float[L];
        v.intoArray(lanes, 0);
        float max = Float.NEGATIVE_INFINITY;
        for (float f : lanes) {
            max = f > max ? f : max;
        }
        for (; i < n; i++) {
            max = get(x + 4L * i) > max ? get(x + 4L * i) : max;
        }
        return max;
    }

    /** Sums exactly n numbers: F32 over at most {@value #RUN} vectors, double over those, in an order that n fixes. */
    static double sum(long x, int n) {
        float[] lanes = new float[L];
        double s = 0;
        int whole = n - n % L;
        for (int i = 0; i < whole; i += RUN * L) {
            s += lanes(sum(x + 4L * i, Math.min(RUN * L, whole - i), all(0)), lanes);
        }
        for (int i = whole; i < n; i++) {
            s += get(x + 4L * i);
        }
        return s;
    }

    private static FloatVector sum(long x, int n, FloatVector s) {
        for (int i = 0; i < n; i += L) {
            s = s.add(load(x + 4L * i));
        }
        return s;
    }

    /** Sums x y over exactly n numbers, as {@link #sum} does. */
    static double dot(long x, long y, int n) {
        float[] lanes = new float[L];
        double s = 0;
        int whole = n - n % L;
        for (int i = 0; i < whole; i += RUN * L) {
            s += lanes(dot(x + 4L * i, y + 4L * i, Math.min(RUN * L, whole - i), all(0)), lanes);
        }
        for (int i = whole; i < n; i++) {
            s += (double) get(x + 4L * i) * get(y + 4L * i);
        }
        return s;
    }

    private static FloatVector dot(long x, long y, int n, FloatVector s) {
        for (int i = 0; i < n; i += L) {
            s = load(x + 4L * i).fma(load(y + 4L * i), s);
        }
        return s;
    }

    /** Sums the lanes in their order. */
    static double lanes(FloatVector v, float[] lanes) {
        v.intoArray(lanes, 0);
        double s = 0;
        for (float f : lanes) {
            s += f;
        }
        return s;
    }

    /**
     * Computes y = softmax(scale x) over exactly n numbers; y may be x.
     *
     * @param temp working memory of one vector
     * @return the logarithm of the sum of exp(scale x)
     */
    static double softmax(long x, float scale, long y, int n, long temp) {
        int whole = n - n % L;
        int rest = n - whole;
        float shift = -max(x, n) * scale;
        exp(x, scale, shift, 89f, y, whole);
        double s = sum(y, whole);
        if (rest > 0) {
            fill(temp, Float.NEGATIVE_INFINITY, L);
            MoveLoops.copy(x + 4L * whole, temp, 4L * rest);
            exp(temp, scale, shift, 89f, temp, L);
            s += sum(temp, rest);
        }
        float share = (float) (1 / s);
        affine(y, share, 0, y, whole);
        if (rest > 0) {
            affine(temp, share, 0, temp, L);
            MoveLoops.copy(temp, y + 4L * whole, 4L * rest);
        }
        return Math.log(s) - shift;
    }
}
