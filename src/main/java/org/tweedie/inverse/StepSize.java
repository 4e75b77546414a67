// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.diffusion.NoiseLevel;

/** Computes the length of a gradient step on the loss. */
public final class StepSize {
    /**
     * The rule of the step. CONSTANT is z - lambda grad, as in the paper; ADAPTIVE is Polyak's step towards the noise level,
     * within a trust radius.
     */
    public enum Rule { CONSTANT, ADAPTIVE }

    private final Rule rule;
    private final double lambda;
    private final double trust;
    private final Surrogate.Norm norm;
    private final double noise;
    private final int d;

    /** @param noise the residual's norm at the noise level, sigma sqrt(m) */
    public StepSize(Rule rule, double lambda, double trust, Surrogate.Norm norm, double noise, int d) {
        this.rule = rule;
        this.lambda = lambda;
        this.trust = trust;
        this.norm = norm;
        this.noise = noise;
        this.d = d;
    }

    /**
     * Returns the factor of the gradient; it is 0 once the residual has reached the noise level.
     *
     * <p>Adaptive: with f the data term and f* its value at the noise level, Polyak's step (f - f*) / |grad f|^2 is where a
     * linear model of f reaches f*. It carries the unit of z and shrinks with 1/sqrt(abar) as the gradient grows with it. Far
     * from the goal the linear model does not hold, so a step moves z by at most a fraction (trust) of its signal's length.
     *
     * @param residual the residual's norm
     * @param data the data term
     * @param gradient norm of the gradient
     */
    public double of(double residual, double data, double gradient, NoiseLevel level) {
        if (residual <= noise || gradient == 0) {
            return 0;
        }
        if (rule == Rule.CONSTANT) {
            return lambda;
        }
        double goal = norm == Surrogate.Norm.NORM ? noise : data * (noise / residual) * (noise / residual);
        double polyak = lambda * (data - goal) / (gradient * gradient);
        return Math.min(polyak, trust * Math.sqrt(level.abar() * d) / gradient);
    }
}
