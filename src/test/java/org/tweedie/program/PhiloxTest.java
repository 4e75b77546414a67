// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PhiloxTest {
    /** The known answers of Random123, the authors' own code. */
    @Test
    void givesTheKnownAnswers() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, Philox.block(0, 0, 0, 0, 0, 0));
        assertArrayEquals(new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, Philox.block(-1, -1, -1, -1, -1, -1));
        assertArrayEquals(new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                Philox.block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }

    @Test
    void anyPartOfTheSequenceIsTheSame() {
        Philox p = new Philox(42, Philox.Stream.PROBE);
        float[] whole = new float[40];
        p.normals(0, whole);
        for (int from : new int[] {1, 3, 4, 10}) {
            float[] part = new float[17];
            p.normals(from, part);
            assertArrayEquals(Arrays.copyOfRange(whole, from, from + 17), part);
        }
        float[] far = new float[8];
        p.uniforms((1L << 40) - 3, far);
        float[] later = new float[5];
        p.uniforms(1L << 40, later);
        assertArrayEquals(Arrays.copyOfRange(far, 3, 8), later);
        assertEquals(far[0], (p.bits((1L << 40) - 3) >>> 8) * 0x1p-24f);
    }

    @Test
    void seedsAndStreamsDiffer() {
        long a = new Philox(1, Philox.Stream.INIT).bits(0);
        assertNotEquals(a, new Philox(2, Philox.Stream.INIT).bits(0));
        assertNotEquals(a, new Philox(1, Philox.Stream.PROBE).bits(0));
        assertNotEquals(a, new Philox(1L + (1L << 32), Philox.Stream.INIT).bits(0), "the high half of the seed counts");
        assertEquals(Philox.Stream.values().length, Arrays.stream(Philox.Stream.values()).map(s -> new Philox(1, s).stream())
                .distinct().count());
    }

    @Test
    void normalsAreBoxMullersToTheLastBits() {
        int[] words = {0, 1, -1, 0x80000000, 0x7fffffff, 0x20000000, 0x1fffffff, 0x60000000, 0xdfffffff, 0x12345678, 0x9abcdef0};
        for (int x0 : words) {
            for (int x1 : words) {
                double r = Math.sqrt(-2 * StrictMath.log(((x0 & 0xFFFFFFFFL) + 1) * 0x1p-32));
                double a = 2 * Math.PI * (x1 & 0xFFFFFFFFL) * 0x1p-32;
                assertEquals(r * StrictMath.cos(a), Philox.normal(x0, x1, false), 1e-14 + 6e-8 * Math.abs(r * StrictMath.cos(a)));
                assertEquals(r * StrictMath.sin(a), Philox.normal(x0, x1, true), 1e-14 + 6e-8 * Math.abs(r * StrictMath.sin(a)));
                assertEquals(StrictMath.log(((x0 & 0xFFFFFFFFL) + 1) * 0x1p-32), Philox.log((x0 & 0xFFFFFFFFL) + 1), 1e-14);
                assertEquals(StrictMath.cos(a), Philox.cosSin(x1)[0], 2e-15);
                assertEquals(StrictMath.sin(a), Philox.cosSin(x1)[1], 2e-15);
            }
        }
    }

    /**
     * Computed once elsewhere, by the definition with a C library's functions in double and rounded: a change of the formula,
     * the order of operations or the machine must not go unseen.
     */
    @Test
    void normalsNeverChange() {
        float[] z = new float[6];
        new Philox(7, Philox.Stream.NOISE).normals(0, z);
        assertArrayEquals(NORMALS_7, z);
    }

    private static final float[] NORMALS_7 = {0.728884f, 0.71782035f, -1.543246f, -1.1179985f, -0.99894613f, 0.25733912f};

    @Test
    void momentsFit() {
        int n = 1 << 18;
        float[] z = new float[n];
        Philox p = new Philox(3, Philox.Stream.NOISE);
        p.normals(0, z);
        double[] m = new double[5];
        double neighbours = 0;
        for (int i = 0; i < n; i++) {
            for (int k = 1; k < 5; k++) {
                m[k] += Math.pow(z[i], k) / n;
            }
            neighbours += i > 0 ? z[i] * z[i - 1] / n : 0;
        }
        double s = 1 / Math.sqrt(n); // the spread of a mean; five of them each
        assertEquals(0, m[1], 5 * s);
        assertEquals(1, m[2], 5 * s * Math.sqrt(2));
        assertEquals(0, m[3], 5 * s * Math.sqrt(15));
        assertEquals(3, m[4], 5 * s * Math.sqrt(96));
        assertEquals(0, neighbours, 5 * s);
        p.uniforms(0, z);
        double mean = 0;
        for (float u : z) {
            assertTrue(u >= 0 && u < 1);
            mean += u / n;
        }
        assertEquals(0.5, mean, 5 * s / Math.sqrt(12));
        p.rademacher(0, z);
        mean = 0;
        for (float e : z) {
            assertEquals(1, Math.abs(e));
            mean += e / n;
        }
        assertEquals(0, mean, 5 * s);
    }
}
