// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.measure.LinearOperator;
import org.tweedie.program.Tensor;

/**
 * The proximal step of the data term in pixels, for a linear operator A: the picture
 *
 * <pre>argmin_x |y - A x|^2 + lam |x - x0|^2,   which solves   (A^T A + lam I) x = A^T y + lam x0.</pre>
 *
 * <p>It is found by conjugate gradients that start at x0. With few iterations and a small lam the result depends on their
 * number, which is a parameter of the methods that use this step. It takes no network evaluation.
 */
public final class PixelProx {
    private final PixelOperator a;
    private final double lam;
    private final int iterations;

    /**
     * Prepares the step.
     *
     * @param lam the weight of the distance to x0; with 0 the result is a least-squares solution
     * @param iterations the largest number of iterations; fewer run when the residual becomes exactly zero
     * @param who the caller, whom the message names when the operator is not linear
     * @throws IllegalArgumentException unless the operator is linear
     */
    public PixelProx(PixelOperator a, double lam, int iterations, String who) {
        LinearOperator.require(a.p().operator(), who);
        this.a = a;
        this.lam = lam;
        this.iterations = iterations;
    }

    /** Returns the picture, an F64 tensor of the shape of x0 [1,H,W,3]. */
    public Tensor of(Tensor x0) {
        Tensor x = x0;
        Tensor s = a.adjoint(x0, a.residual(x0)); // A^T y + lam x0 - (A^T A + lam I) x at x = x0
        Tensor direction = s;
        double gamma = Vectors.dot(s, s);
        for (int i = 0; i < iterations && gamma != 0; i++) {
            Tensor q = Vectors.mix(1, a.adjoint(x0, a.forward(x0, direction)), lam, direction);
            double alpha = gamma / Vectors.dot(direction, q);
            x = Vectors.minus(x, direction, -alpha);
            s = Vectors.minus(s, q, alpha);
            double next = Vectors.dot(s, s);
            direction = Vectors.minus(s, direction, -next / gamma);
            gamma = next;
        }
        return x;
    }
}
