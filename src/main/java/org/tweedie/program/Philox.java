// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

/**
 * Counter-based random numbers, Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * They are a pure function of (seed, stream, index): there is no state, any part of the sequence can be drawn in any order, and
 * all machines draw the same bits.
 *
 * <p>Index j takes word j mod 4 of block b = j / 4, whose key is (low, high half of seed) and whose counter is
 * (low, high half of b, low, high half of stream). From the words x0..x3 of a block:
 * <ul>
 * <li>uniform: (x >>> 8) 2^-24, in [0,1);
 * <li>Rademacher: -1 if the top bit of x is set, else 1;
 * <li>normal (Box-Muller): (r cos a, r sin a) from (x0,x1) for words 0 and 1, from (x2,x3) for words 2 and 3, with
 *     r = sqrt(-2 ln((x0 + 1) 2^-32)) and a = 2 pi x1 2^-32, computed in double by {@link #log} and {@link #cosSin} in the order
 *     written, each operation rounded on its own (no fused multiply-add), the product rounded to float last.
 * </ul>
 */
public record Philox(long seed, long stream) {
    /**
     * The purposes for which random numbers are drawn. Each has a stream of its own, so that drawing more for one shifts no
     * other.
     */
    public enum Stream {
        /** The start of a sampler: fresh latents or the noise put on them. */
        INIT(1),
        /** Probes of the trace estimator. */
        PROBE(2),
        /** Measurement noise. */
        NOISE(3),
        /** Random blur kernels. */
        KERNEL(4),
        /** Random masks. */
        MASK(5),
        /** Noise inside of a stochastic sampler's steps. */
        STEP(6);

        private final long number;

        Stream(long number) {
            this.number = number;
        }
    }

    private static final double LN2 = 0.6931471805599453;
    private static final double SQRT2 = 1.4142135623730951;
    /** The size of one step of a 32-bit angle: pi/2 2^-30. */
    private static final double TURN = 1.5707963267948966 * 0x1p-30;

    public Philox(long seed, Stream stream) {
        this(seed, stream.number);
    }

    /** The generator itself: ten rounds on a counter of four words under a key of two. */
    public static int[] block(int c0, int c1, int c2, int c3, int k0, int k1) {
        for (int round = 0; round < 10; round++) {
            long p0 = 0xD2511F53L * (c0 & 0xFFFFFFFFL);
            long p1 = 0xCD9E8D57L * (c2 & 0xFFFFFFFFL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c1 = (int) p1;
            c3 = (int) p0;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return new int[] {c0, c1, c2, c3};
    }

    private int[] block(long b) {
        return block((int) b, (int) (b >>> 32), (int) stream, (int) (stream >>> 32), (int) seed, (int) (seed >>> 32));
    }

    /** The 32 random bits of one index. */
    public int bits(long index) {
        return block(index >>> 2)[(int) index & 3];
    }

    /** Fills out with indices offset, offset + 1, ... of the uniform numbers in [0,1). */
    public void uniforms(long offset, float[] out) {
        fill(offset, out, (x, i) -> (x[i] >>> 8) * 0x1p-24f);
    }

    /** Fills out with indices offset, offset + 1, ... of the numbers -1 and 1. */
    public void rademacher(long offset, float[] out) {
        fill(offset, out, (x, i) -> x[i] < 0 ? -1 : 1);
    }

    /** Fills out with indices offset, offset + 1, ... of the standard normal numbers. */
    public void normals(long offset, float[] out) {
        fill(offset, out, (x, i) -> normal(x[i & 2], x[i | 1], (i & 1) == 1));
    }

    /** Standard normal numbers as a tensor. */
    public Tensor normals(long offset, Shape shape) {
        float[] out = new float[Math.toIntExact(shape.size())];
        normals(offset, out);
        return Tensor.of(shape, out);
    }

    private interface FromBlock {
        float apply(int[] words, int i);
    }

    private void fill(long offset, float[] out, FromBlock f) {
        int[] words = null;
        for (int i = 0; i < out.length; i++) {
            long j = offset + i;
            if (words == null || (j & 3) == 0) {
                words = block(j >>> 2);
            }
            out[i] = f.apply(words, (int) j & 3);
        }
    }

    static float normal(int x0, int x1, boolean sine) {
        double r = Math.sqrt(-2 * log((x0 & 0xFFFFFFFFL) + 1));
        return (float) (r * cosSin(x1)[sine ? 1 : 0]);
    }

    /** ln(n 2^-32) for n in [1, 2^32]: n = 2^e m, m in (sqrt(1/2), sqrt(2)]; ln m = 2 artanh s, s = (m-1)/(m+1), nine terms. */
    static double log(long n) {
        int e = 63 - Long.numberOfLeadingZeros(n);
        double m = n / (double) (1L << e);
        if (m > SQRT2) {
            m *= 0.5;
            e++;
        }
        double s = (m - 1) / (m + 1);
        double q = s * s;
        double sum = 1.0 / 17;
        for (int k = 15; k >= 1; k -= 2) {
            sum = sum * q + 1.0 / k;
        }
        return (e - 32) * LN2 + 2 * s * sum;
    }

    /**
     * Cosine and sine of 2 pi x 2^-32, x unsigned: the nearest quarter turn and Taylor's series (degrees 16 and 15) for the rest.
     */
    static double[] cosSin(int x) {
        int quarter = (x + (1 << 29)) >>> 30;
        double a = (x - (quarter << 30)) * TURN; // [-pi/4, pi/4]
        double q = a * a;
        double cos = 1;
        double sin = 1;
        for (int k = 16; k >= 2; k -= 2) {
            cos = 1 - cos * q * (1.0 / (k * (k - 1)));
        }
        for (int k = 15; k >= 3; k -= 2) {
            sin = 1 - sin * q * (1.0 / (k * (k - 1)));
        }
        sin *= a;
        return switch (quarter) {
            case 0 -> new double[] {cos, sin};
            case 1 -> new double[] {-sin, cos};
            case 2 -> new double[] {-cos, -sin};
            default -> new double[] {sin, -cos};
        };
    }
}
