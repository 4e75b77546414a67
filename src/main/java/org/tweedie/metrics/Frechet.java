// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import java.util.List;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;

/**
 * The Frechet distance between two sets of feature vectors: the squared 2-Wasserstein distance between the normal distributions
 * of their means m and covariances S (Dowson, Landau 1982),
 * <pre>
 *   |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))
 * </pre>
 * Covariances are divided by the number of vectors less one. The trace of the root is the sum of the roots of the eigenvalues of
 * S1^(1/2) S2 S1^(1/2), where eigenvalues that rounding left below 0 count as 0; so does a distance below 0.
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
        RealMatrix s1 = covariance(first, m1);
        RealMatrix s2 = covariance(second, m2);
        double distance = s1.getTrace() + s2.getTrace() - 2 * traceOfRoot(s1, s2);
        for (int i = 0; i < length; i++) {
            distance += (m1[i] - m2[i]) * (m1[i] - m2[i]);
        }
        return new Frechet(Math.max(distance, 0), features, first.size(), second.size());
    }

    /** The trace of (S1 S2)^(1/2). */
    private static double traceOfRoot(RealMatrix s1, RealMatrix s2) {
        EigenDecompositionSymmetric e = new EigenDecompositionSymmetric(s1);
        double[] roots = e.getEigenvalues().clone();
        for (int i = 0; i < roots.length; i++) {
            roots[i] = Math.sqrt(Math.max(roots[i], 0));
        }
        RealMatrix root = e.getV().multiply(MatrixUtils.createRealDiagonalMatrix(roots)).multiply(e.getVT());
        RealMatrix product = root.multiply(s2).multiply(root);
        RealMatrix symmetric = product.add(product.transpose()).scalarMultiply(0.5);
        double trace = 0;
        for (double value : new EigenDecompositionSymmetric(symmetric).getEigenvalues()) {
            trace += Math.sqrt(Math.max(value, 0));
        }
        return trace;
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

    private static RealMatrix covariance(List<double[]> vectors, double[] mean) {
        int n = mean.length;
        double[][] s = new double[n][n];
        double[] d = new double[n];
        for (double[] v : vectors) {
            for (int i = 0; i < n; i++) {
                d[i] = v[i] - mean[i];
            }
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    s[i][j] += d[i] * d[j] / (vectors.size() - 1);
                }
            }
        }
        return new Array2DRowRealMatrix(s, false);
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
