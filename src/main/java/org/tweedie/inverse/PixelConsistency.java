// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Run;
import org.tweedie.measure.LinearOperator;
import org.tweedie.program.Tensor;

/**
 * The last step of a solver. An autoencoder cannot represent every picture, so the decoded picture is moved onto the
 * measurement in pixel space, until the residual is at the noise level and no farther, so that noise is not copied from the
 * measurement (Morozov's discrepancy principle). A linear operator first extends the residual; for inpainting it spreads it
 * smoothly over the holes. Then conjugate gradients on |y - A x|^2 (CGLS) run on the operator's derivative at x. The last step
 * of either is shortened so that it ends at the noise level. For a linear operator the derivative is A itself and one solve
 * suffices; otherwise the derivative is taken again after each solve (Gauss-Newton), and the step of a solve is halved until
 * the residual falls.
 */
public enum PixelConsistency {
    /** The picture is moved onto the measurement. */
    PIXEL,
    /** The decoded picture is the result. */
    NONE;

    private static final int MAX_ITERATIONS = 100;
    private static final int MAX_LINEARISATIONS = 20;
    private static final double MIN_STEP = 1e-3;
    /** A residual above the noise by less than this factor has reached it; the rest is rounding. */
    private static final double REACHED = 1 + 1e-6;

    /** Decodes z and ends the run. */
    public Restoration finish(Tensor z, Problem p, Run run) {
        Tensor decoded = Finite.require(run.decode(z), "decoded picture");
        PixelOperator a = new PixelOperator(p, run);
        double before = Vectors.norm(a.residual(decoded)) / p.noiseNorm();
        if (this == NONE || before <= 1) {
            return new Restoration(decoded, decoded, before, before, run.counts());
        }
        Tensor x = new Cgls(p, a).solve(decoded);
        return new Restoration(x, decoded, Vectors.norm(a.residual(x)) / p.noiseNorm(), before, run.counts());
    }

    private record Cgls(Problem p, PixelOperator a) {
        Tensor solve(Tensor decoded) {
            if (p.operator() instanceof LinearOperator linear) {
                Tensor x = extended(decoded, linear);
                return solve(x, a.residual(x));
            }
            Tensor x = decoded;
            Tensor r = a.residual(x);
            for (int k = 0; k < MAX_LINEARISATIONS && Vectors.norm(r) > p.noiseNorm() * REACHED; k++) {
                Tensor d = Vectors.minus(solve(x, r), x, 1);
                double length = shorter(x, r, d);
                if (length == 0) {
                    break;
                }
                x = Vectors.minus(x, d, -length);
                r = a.residual(x);
            }
            return x;
        }

        /** Adds as much of the extended residual as it takes to reach the noise level; all of it would copy noise from y. */
        private Tensor extended(Tensor x, LinearOperator linear) {
            Tensor r = a.residual(x);
            Tensor e = linear.extend(r);
            return Vectors.minus(x, e, -reach(r, a.forward(x, e)));
        }

        /**
         * Returns the smallest t for which |r - t q| is the noise's norm, or if there is none the t that makes it smallest. The
         * latter is the full step of conjugate gradients.
         */
        private double reach(Tensor r, Tensor q) {
            double rq = Vectors.dot(r, q);
            double qq = Vectors.dot(q, q);
            double root = rq * rq - qq * (Vectors.dot(r, r) - p.noiseNorm() * p.noiseNorm());
            return qq == 0 ? 0 : (rq - Math.sqrt(Math.max(0, root))) / qq;
        }

        /** Returns the largest of 1, 1/2, 1/4, ... for which a step along d makes the residual smaller; 0 when none does. */
        private double shorter(Tensor x, Tensor r, Tensor d) {
            for (double length = 1; length > MIN_STEP; length /= 2) {
                if (Vectors.norm(a.residual(Vectors.minus(x, d, -length))) < Vectors.norm(r)) {
                    return length;
                }
            }
            return 0;
        }

        /** Runs conjugate gradients on |r - A' d|^2 from d = 0, where A' is the operator's derivative at x; returns x + d. */
        private Tensor solve(Tensor x, Tensor r) {
            Tensor at = x;
            Tensor s = a.adjoint(at, r);
            Tensor direction = s;
            double gamma = Vectors.dot(s, s);
            for (int i = 0; i < MAX_ITERATIONS && Vectors.norm(r) > p.noiseNorm() * REACHED && gamma > 0; i++) {
                Tensor q = a.forward(at, direction);
                double alpha = reach(r, q);
                x = Vectors.minus(x, direction, -alpha);
                r = Vectors.minus(r, q, alpha);
                s = a.adjoint(at, r);
                double next = Vectors.dot(s, s);
                direction = Vectors.minus(s, direction, -next / gamma);
                gamma = next;
            }
            return x;
        }
    }
}
