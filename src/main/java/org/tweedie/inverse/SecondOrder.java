// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

/**
 * The second term of STSL's loss, or a control that takes its place. A control tells whether a gain is due to the trace, to
 * any direction of the same length, or to a pull towards smaller latents.
 */
public enum SecondOrder {
    /** The paper's term: the trace of the Hessian of log p(z). */
    TRACE,
    /**
     * The trace of the posterior's covariance, Tr Cov[z0 | z] = (sigma^2/abar) (d + sigma^2 Tr Hess log p(z)). Its gradient is
     * that of the trace times sigma^4/abar, so with normalised weight it equals {@link #TRACE}.
     */
    COVARIANCE,
    /**
     * The part of that covariance which the measurement sees, Tr(A J_D Cov J_D^T A^T), where J_D is the decoder's Jacobian.
     * Its probe is v = J_D^T A^T e for normal e. It is what E|y - A D(z0)|^2 has in addition to |y - A D(zbar)|^2 if D is
     * linear.
     */
    MEASURED,
    /** The trace with the opposite sign, which the paper's argument would make worse. */
    FLIPPED,
    /** A random direction, drawn anew in each step, eta times as long as the data term's gradient. */
    RANDOM,
    /** The latent z itself, eta times as long as the data term's gradient: a plain pull towards 0. */
    SHRINK,
    /** No second term; equal to eta = 0. */
    NONE;

    /** Returns true if the term takes a second network evaluation, at z + h e. */
    public boolean probes() {
        return this == TRACE || this == COVARIANCE || this == MEASURED || this == FLIPPED;
    }
}
