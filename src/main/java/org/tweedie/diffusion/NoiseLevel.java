// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.DdimMove;
import org.tweedie.program.op.TweedieMean;

/**
 * A point of the noise schedule: z = sqrt(abar) z0 + sigma eps, sigma = sqrt(1 - abar).
 *
 * @param timestep the timestep that the network gets; it is not a whole number between two training timesteps
 */
public record NoiseLevel(double timestep, double abar) {
    /** Returns the level at which the noise has this ratio to the signal. */
    public static NoiseLevel ofRatio(double timestep, double ratio) {
        return new NoiseLevel(timestep, 1 / (1 + ratio * ratio));
    }

    /** Returns sqrt(abar), the factor of the signal. */
    public double sqrtAbar() {
        return Math.sqrt(abar);
    }

    /** Returns sqrt(1 - abar), the factor of the noise. */
    public double sigma() {
        return Math.sqrt(1 - abar);
    }

    /**
     * Returns the ratio sigma / sqrt(abar), with which z / sqrt(abar) = z0 + ratio eps. It is called sigma in arXiv
     * 2206.00364 and in diffusers' tables.
     */
    public double ratio() {
        return sigma() / sqrtAbar();
    }

    /** Returns the level as messages show it, for example t=901. */
    @Override
    public String toString() {
        return "t=" + (timestep == Math.rint(timestep) ? Long.toString((long) timestep) : Double.toString(timestep));
    }

    /** A noise level as inputs of a program, so that one program serves all levels: timestep [1], sqrtAbar [], sigma []. */
    public record Traced(Value timestep, Value sqrtAbar, Value sigma) {
        /** Traces Tweedie's posterior mean zbar = E[z0 | z] = (z - sigma eps) / sqrt(abar) of a latent at this level. */
        public Value mean(Tracer t, Value z, Value eps) {
            return t.emit1(new TweedieMean(), z, eps, sigma, sqrtAbar);
        }

        /**
         * Traces the deterministic DDIM move (arXiv 2010.02502) of a latent at this level to another: sqrt(abar') zbar +
         * sigma' eps.
         */
        public Value move(Tracer t, Value z, Value eps, Traced to) {
            return t.emit1(new DdimMove(), z, eps, sigma, sqrtAbar, to.sqrtAbar, to.sigma);
        }
    }

    /** Declares the inputs of a level; the prefix distinguishes several levels of one program. */
    public static Traced inputs(Tracer t, String prefix) {
        return new Traced(t.input(prefix + "timestep", Type.real(1)), t.input(prefix + "sqrt_abar", Type.real()),
                t.input(prefix + "sigma", Type.real()));
    }

    /** Returns the tensors for {@link #inputs}. */
    public Map<String, Tensor> tensors(String prefix) {
        Map<String, Tensor> m = new HashMap<>();
        m.put(prefix + "timestep", Tensor.of(Shape.of(1), (float) timestep));
        m.put(prefix + "sqrt_abar", Tensor.of(Shape.of(), new double[] {sqrtAbar()}));
        m.put(prefix + "sigma", Tensor.of(Shape.of(), new double[] {sigma()}));
        return m;
    }
}
