// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Run;
import org.tweedie.program.Tensor;

/**
 * Fits a picture or a latent to the measurement with AdamW, as ReSample does (arXiv 2307.08123). The loss is the mean square
 * of the residual over the measured values.
 *
 * @param name the solver, for messages
 * @param decay the decoupled weight decay of AdamW
 * @param stateVariance the fraction that the projection of gradients keeps, see {@link StateProjection}; 1 is none
 */
public record HardConsistency(String name, Problem p, Run run, double decay, double stateVariance) {
    /** The latent fit ends when its loss is above the loss of this many iterations before. */
    public static final int WINDOW = 200;

    /**
     * The limits of a fit.
     *
     * @param rate the learning rate
     * @param iterations the largest number of evaluations of the loss
     * @param meanSquare the loss at which the fit ends
     */
    public record Limits(double rate, int iterations, double meanSquare) {}

    /**
     * The result of a fit.
     *
     * @param x the picture or the latent
     * @param iterations the evaluations of the loss
     */
    public record Fitted(Tensor x, int iterations) {}

    private interface Loss {
        LatentSquares.Fit at(Tensor x);
    }

    /** Fits a picture x [1,H,W,3]. It takes no network evaluation. @param state the picture whose subspace gradients keep to */
    public Fitted picture(Tensor x, Tensor state, Limits limits) {
        PixelOperator a = new PixelOperator(p, run);
        return fit(x, state, limits, Integer.MAX_VALUE, at -> {
            Tensor r = a.residual(at);
            return new LatentSquares.Fit(Vectors.norm(r), Vectors.scale(-2, a.adjoint(at, r)));
        });
    }

    /**
     * Fits a clean latent z [1,h,w,c] through the decoder. Each iteration takes the evaluations of {@link LatentSquares}. It
     * also ends when the loss is above that of {@link #WINDOW} iterations before.
     *
     * @param state the latent whose subspace gradients keep to
     */
    public Fitted latent(Tensor z, Tensor state, Limits limits) {
        return fit(z, state, limits, WINDOW, new LatentSquares(p, run)::at);
    }

    private Fitted fit(Tensor x, Tensor state, Limits limits, int window, Loss loss) {
        double m = p.operator().measurements(p.image());
        StateProjection projection = StateProjection.of(state, stateVariance);
        Adam adam = new Adam(decay);
        List<Double> losses = new ArrayList<>();
        while (losses.size() < limits.iterations) {
            LatentSquares.Fit fit = loss.at(x);
            int k = losses.size();
            double meanSquare = Finite.require(fit.residual() * fit.residual() / m, name + ": iteration " + (k + 1)
                    + " of the fit: loss");
            losses.add(meanSquare);
            if (meanSquare <= limits.meanSquare || k >= window && meanSquare > losses.get(k - window)) {
                break;
            }
            x = adam.step(x, Vectors.scale(1 / m, projection.project(fit.gradient())), limits.rate);
        }
        return new Fitted(Finite.require(x, name + ": fitted values"), losses.size());
    }
}
