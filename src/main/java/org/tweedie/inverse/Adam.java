// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.program.Tensor;

/**
 * The optimiser AdamW (arXiv 1412.6980 and 1711.05101), on the host in double. One object belongs to one variable.
 *
 * <pre>
 * m = b1 m + (1 - b1) g;   v = b2 v + (1 - b2) g^2
 * x = x - lr (decay x + (m / (1 - b1^k)) / (sqrt(v / (1 - b2^k)) + 1e-8))
 * </pre>
 */
public final class Adam {
    private static final double B1 = 0.9;
    private static final double B2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final double decay;
    private double[] m;
    private double[] v;
    private int k;

    /** @param decay the decoupled weight decay; 0 is Adam */
    public Adam(double decay) {
        this.decay = decay;
    }

    /** Returns the next x, of the same shape. @param g the gradient at x @param lr the learning rate of this step */
    public Tensor step(Tensor x, Tensor g, double lr) {
        double[] next = x.doubles();
        if (m == null) {
            m = new double[next.length];
            v = new double[next.length];
        }
        k++;
        double c1 = 1 - Math.pow(B1, k);
        double c2 = 1 - Math.pow(B2, k);
        for (int i = 0; i < next.length; i++) {
            m[i] = B1 * m[i] + (1 - B1) * g.get(i);
            v[i] = B2 * v[i] + (1 - B2) * g.get(i) * g.get(i);
            next[i] -= lr * (decay * next[i] + m[i] / c1 / (Math.sqrt(v[i] / c2) + EPSILON));
        }
        return Tensor.of(x.shape(), next);
    }
}
