// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import java.util.List;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.QRDecomposition;
import org.hipparchus.linear.RealMatrix;
import org.hipparchus.linear.SingularValueDecomposition;

/**
 * The Frechet distance between two sets of feature vectors: the squared 2-Wasserstein distance between the normal distributions
 * of their means m and covariances S (Dowson, Landau 1982),
 * <pre>
 *   |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))
 * </pre>
 * Covariances are divided by the number of vectors less one. The trace of the root is the sum of the singular values of F1 F2^T,
 * where F^T F = S: their squares are the eigenvalues of S1 S2. Unlike roots of eigenvalues, they are accurate where covariances
 * lack full rank, as they do for fewer vectors than features. A distance that rounding left below 0 is 0.
 *
 * <p>This is not FID, which is defined by the features of one trained Inception network. Distances by different features do not
 * compare, so the result names the features. It is biased: for few pictures it is too large, by more the fewer they are, and
 * covariances of n vectors have at most rank n - 1. So distances compare only where the sets have the same sizes, and sets of
 * fewer pictures than features say little.
 *
 * @param distance the distance, 0 or more, in squared units of the features
 * @param features names what the vectors are, for example {@code alexnet.features}
 * @param first the number of vectors in the first set
 * @param second the number of vectors in the second set
 */
public record Frechet(double distance, String features, int first, int second) {
    /**
     * Computes the distance; it is symmetric in the sets.
     *
     * @param features names what the vectors are
     * @param first vectors, one for each picture, all of one length
     * @param second vectors of the same length
     * @throws IllegalArgumentException when a set has fewer than two vectors, lengths differ or a number is not finite
     */
    public static Frechet of(String features, List<double[]> first, List<double[]> second) {
        requireSome("first", first);
        requireSome("second", second);
        int length = first.getFirst().length;
        requireVectors("first", first, length);
        requireVectors("second", second, length);
        double[] m1 = mean(first);
        double[] m2 = mean(second);
        RealMatrix f1 = factor(first, m1);
        RealMatrix f2 = factor(second, m2);
        double distance = squares(f1) + squares(f2) - 2 * traceOfRoot(f1, f2);
        for (int i = 0; i < length; i++) {
            distance += (m1[i] - m2[i]) * (m1[i] - m2[i]);
        }
        return new Frechet(Math.max(distance, 0), features, first.size(), second.size());
    }

    /**
     * Returns F with F^T F = S, of one row for each vector or, where there are more vectors than features, one for each feature:
     * the vectors less their mean, over the root of their number less one, or the triangle of that matrix.
     */
    private static RealMatrix factor(List<double[]> vectors, double[] mean) {
        double[][] rows = new double[vectors.size()][mean.length];
        for (int k = 0; k < rows.length; k++) {
            for (int i = 0; i < mean.length; i++) {
                rows[k][i] = (vectors.get(k)[i] - mean[i]) / Math.sqrt(rows.length - 1);
            }
        }
        RealMatrix all = new Array2DRowRealMatrix(rows, false);
        return rows.length <= mean.length ? all
                : new QRDecomposition(all).getR().getSubMatrix(0, mean.length - 1, 0, mean.length - 1);
    }

    /** The trace of (S1 S2)^(1/2), from the factors. */
    private static double traceOfRoot(RealMatrix f1, RealMatrix f2) {
        double trace = 0;
        for (double value : new SingularValueDecomposition(f1.multiply(f2.transpose())).getSingularValues()) {
            trace += value;
        }
        return trace;
    }

    private static double squares(RealMatrix f) {
        double norm = f.getFrobeniusNorm();
        return norm * norm;
    }

    private static double[] mean(List<double[]> vectors) {
        double[] mean = new double[vectors.getFirst().length];
        for (double[] v : vectors) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += v[i] / vectors.size();
            }
        }
        return mean;
    }

    private static void requireSome(String set, List<double[]> vectors) {
        if (vectors.size() < 2) {
            throw new IllegalArgumentException("frechet: expected two pictures or more in the " + set + " set, since one has no "
                    + "covariance, got " + vectors.size() + "; add pictures");
        }
    }

    private static void requireVectors(String set, List<double[]> vectors, int length) {
        for (int k = 0; k < vectors.size(); k++) {
            double[] v = vectors.get(k);
            if (v.length != length || length == 0) {
                throw new IllegalArgumentException("frechet: expected feature vectors of one length above 0, got " + length
                        + " for picture 1 of the first set and " + v.length + " for picture " + (k + 1) + " of the " + set
                        + " set; take all features from one network");
            }
            for (double x : v) {
                if (!Double.isFinite(x)) {
                    throw new IllegalArgumentException("frechet: expected finite features, got " + x + " for picture " + (k + 1)
                            + " of the " + set + " set; check that picture and the network's weights");
                }
            }
        }
    }
}
