// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import java.util.List;

/** Computes the formulas of samplers and of the Hutchinson probe element by element. Scalars are operands of one element. */
final class ReferenceSampling {
    private ReferenceSampling() {}

    private static double scalar(List<Array> in, int i) {
        return in.get(i).data()[0];
    }

    /** @param in z, eps, sigma, sqrt(abar) */
    static void tweedieMean(List<Array> in, Array y) {
        for (int i = 0; i < y.size(); i++) {
            y.data()[i] = (in.get(0).data()[i] - scalar(in, 2) * in.get(1).data()[i]) / scalar(in, 3);
        }
    }

    /** @param in z, eps, sigma, sqrt(abar), then sqrt(abar) and sigma of the level to go to */
    static void ddimMove(List<Array> in, Array y) {
        for (int i = 0; i < y.size(); i++) {
            double eps = in.get(1).data()[i];
            double mean = (in.get(0).data()[i] - scalar(in, 2) * eps) / scalar(in, 3);
            y.data()[i] = scalar(in, 4) * mean + scalar(in, 5) * eps;
        }
    }

    static void guidance(double weight, Array both, Array y) {
        for (int i = 0; i < y.size(); i++) {
            double without = both.data()[i];
            double with = both.data()[y.size() + i];
            y.data()[i] = without + weight * (with - without);
        }
    }

    static void guidanceVjp(double weight, Array c, Array both) {
        for (int i = 0; i < c.size(); i++) {
            both.data()[i] = (1 - weight) * c.data()[i];
            both.data()[c.size() + i] = weight * c.data()[i];
        }
    }

    /** @param in z, e, h */
    static void pair(List<Array> in, Array both) {
        int n = both.size() / 2;
        for (int i = 0; i < n; i++) {
            both.data()[i] = in.get(0).data()[i];
            both.data()[n + i] = in.get(0).data()[i] + scalar(in, 2) * in.get(1).data()[i];
        }
    }

    static void pairVjp(Array both, Array dz) {
        for (int i = 0; i < dz.size(); i++) {
            dz.data()[i] = both.data()[i] + both.data()[dz.size() + i];
        }
    }

    /** @param in z, predictions at both points, e, h, sigma, sqrt(abar) */
    static void estimate(double factor, List<Array> in, Array mean, Array trace) {
        double[] both = in.get(1).data();
        int n = mean.size();
        int sample = n / trace.size();
        for (int i = 0; i < n; i++) {
            mean.data()[i] = (in.get(0).data()[i] - scalar(in, 4) * both[i]) / scalar(in, 5);
            trace.data()[i / sample] += factor * in.get(2).data()[i] * (both[n + i] - both[i]) / (scalar(in, 3) * scalar(in, 4));
        }
    }

    /** @param in u, weight [B], e, sigma, h */
    static void estimateVjp(double factor, List<Array> in, Array both) {
        int n = both.size() / 2;
        int sample = n / in.get(1).size();
        for (int i = 0; i < n; i++) {
            double ce = factor * in.get(1).data()[i / sample] / (scalar(in, 3) * scalar(in, 4)) * in.get(2).data()[i];
            both.data()[i] = -scalar(in, 3) * in.get(0).data()[i] - ce;
            both.data()[n + i] = ce;
        }
    }
}
