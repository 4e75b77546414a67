// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tweedie.program.Philox;

class FrechetTest {
    private static double distance(List<double[]> a, List<double[]> b) {
        return Frechet.of("test", a, b).distance();
    }

    /** Means 1 and 3, variances 2 and 8 (over n - 1): 2^2 + (sqrt 2 - sqrt 8)^2 = 6. */
    @Test
    void inOneDimension() {
        List<double[]> a = List.of(new double[] {0}, new double[] {2});
        List<double[]> b = List.of(new double[] {1}, new double[] {5});
        assertEquals(6, distance(a, b), 1e-12);
        Frechet named = Frechet.of("alexnet.features", a, List.of(new double[] {1}, new double[] {5}, new double[] {3}));
        assertEquals("alexnet.features of 2 and 3", named.features() + " of " + named.first() + " and " + named.second());
    }

    /**
     * Two vectors that are m - d/2 and m + d/2 have the covariance d d^T / 2, of rank 1 in any dimension. The trace of the
     * root is then |d . e| / 2.
     */
    @Test
    void covariancesWithoutFullRank() {
        double[] d = {2, -1, 3, 0.5};
        double[] e = {1, 4, 1, -2};
        List<double[]> a = List.of(new double[] {0, 0, 0, 0}, d);
        List<double[]> b = List.of(new double[] {1, 1, 1, 1}, new double[] {2, 5, 2, -1});
        double means = 0;
        double traces = 0;
        double inner = 0;
        for (int i = 0; i < 4; i++) {
            means += Math.pow(d[i] / 2 - (1 + e[i] / 2), 2);
            traces += d[i] * d[i] / 2 + e[i] * e[i] / 2;
            inner += d[i] * e[i];
        }
        assertEquals(means + traces - Math.abs(inner), distance(a, b), 1e-12);
    }

    /**
     * Where one set is the other times s, the roots of the covariances differ by the factor s: the distance is (1 - s)^2 (|m|^2 +
     * tr S). Where it is the other plus c, it is |c|^2. Sets have fewer vectors than features, as many, and more.
     */
    @Test
    void scaledAndShiftedSets() {
        for (int n : new int[] {2, 20, 120, 150}) {
            List<double[]> a = new ArrayList<>();
            List<double[]> scaled = new ArrayList<>();
            List<double[]> shifted = new ArrayList<>();
            for (int k = 0; k < n; k++) {
                float[] x = new float[120];
                new Philox(k, Philox.Stream.NOISE).normals(0, x);
                a.add(IntStream.range(0, 120).mapToDouble(i -> 0.3 + x[i] * (i % 5)).toArray());
                scaled.add(Arrays.stream(a.getLast()).map(v -> 1.7 * v).toArray());
                shifted.add(Arrays.stream(a.getLast()).map(v -> v - 0.5).toArray());
            }
            double expected = 0;
            for (int i = 0; i < 120; i++) {
                int feature = i;
                double mean = a.stream().mapToDouble(v -> v[feature]).sum() / n;
                double variance = a.stream().mapToDouble(v -> Math.pow(v[feature] - mean, 2)).sum() / (n - 1);
                expected += 0.7 * 0.7 * (mean * mean + variance);
            }
            assertEquals(expected, distance(a, scaled), 1e-10 * expected, n + " vectors");
            assertEquals(0.25 * 120, distance(a, shifted), 1e-9, n + " vectors");
        }
    }

    /** The script's two sets have covariances that do not commute; its root is scipy.linalg.sqrtm's. */
    @Test
    void agreesWithScipy() throws IOException {
        List<double[]> a = Perceptual.rows("set1");
        List<double[]> b = Perceptual.rows("set2");
        double expected = Perceptual.value("frechet")[0];
        assertEquals(expected, distance(a, b), 1e-9 * expected);
        assertEquals(expected, distance(b, a), 1e-9 * expected);
        assertEquals(0, distance(a, a), 1e-9);
    }

    @Test
    void refusesSetsThatHaveNoCovariance() {
        List<double[]> one = List.of(new double[] {1, 2});
        List<double[]> two = List.of(new double[] {1, 2}, new double[] {3, 4});
        var e = assertThrows(IllegalArgumentException.class, () -> distance(two, one));
        assertEquals("frechet: expected two pictures or more in the second set, since one has no covariance, got 1; add pictures",
                e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> distance(two, List.of(new double[] {1, 2}, new double[] {1})));
        assertEquals("frechet: expected feature vectors of one length above 0, got 2 for picture 1 of the first set and 1 for "
                + "picture 2 of the second set; take all features from one network", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> distance(List.of(new double[] {1, Double.NaN},
                new double[2]), two));
        assertEquals("frechet: expected finite features, got NaN for picture 1 of the first set; check that picture and the "
                + "network's weights", e.getMessage());
    }
}
