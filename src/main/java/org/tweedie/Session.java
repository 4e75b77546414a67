// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.image.Image;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.Measurement;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.NoiseModel;
import org.tweedie.measure.Operators;
import org.tweedie.sample.Generation;
import org.tweedie.sample.Sampler;
import org.tweedie.solve.Solver;

/**
 * Restores and generates pictures of one size with a model. A session keeps every program that it has compiled, so that a
 * second picture, solver or seed needs no second compilation. Only one thread may use a session at a time; close it before
 * its model.
 */
public final class Session implements AutoCloseable {
    private final Prior prior;

    Session(Prior prior) {
        this.prior = prior;
    }

    /** The prior that solvers work with, for code that calls a solver or traces a program itself. */
    public Prior prior() {
        return prior;
    }

    /**
     * Degrades a picture by a task, for example {@code sr:4}, and adds normal noise of standard deviation sigma on the scale
     * of [-1,1].
     */
    public Measurement measure(Image picture, String task, double sigma, long seed) {
        return measure(picture, Operators.parse(task, picture.shape(), seed), sigma, seed);
    }

    /** Degrades a picture by an operator and adds normal noise of standard deviation sigma on the scale of [-1,1]. */
    public Measurement measure(Image picture, MeasurementOperator operator, double sigma, long seed) {
        if (!picture.shape().equals(prior.image())) {
            throw new IllegalArgumentException("picture: expected " + prior.image().dim(2) + "x" + prior.image().dim(1)
                    + ", the size of the session, got "
                    + picture.width() + "x" + picture.height() + "; open a session of that size");
        }
        return Measurement.of(new Run(prior, Listener.NONE), picture, operator, new NoiseModel.Gaussian(sigma), seed);
    }

    /** Restores a picture. */
    public Restoration restore(Measurement y, Solver solver) {
        return restore(y, solver, y.seed(), Listener.NONE);
    }

    /**
     * Restores a picture.
     *
     * @param seed the seed of everything that is random
     * @param listener is called after each step and may cancel the run
     * @throws IllegalArgumentException when the measurement is of a picture of another size, or the solver cannot solve it
     * @throws java.util.concurrent.CancellationException when the listener cancels
     */
    public Restoration restore(Measurement y, Solver solver, long seed, Listener listener) {
        return solver.solve(new Problem(prior, y.operator(), y.y(), y.sigma(), seed), listener);
    }

    /** Draws a picture from the prior. */
    public Generation.Result generate(Sampler sampler, int steps, long seed, Listener listener) {
        return new Generation(sampler, steps, seed).draw(prior, listener);
    }

    /** Closes all programs. */
    @Override
    public void close() {
        prior.close();
    }
}
