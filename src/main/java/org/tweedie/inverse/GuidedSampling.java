// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Sampler;

/**
 * The loop of solvers that subtract the gradient of a loss on zbar(z) after the sampler's step, as diffusion posterior sampling
 * does: z = ddim(z) - rho grad_z loss(zbar(z)).
 *
 * @param name the solver's name, for programs and messages
 * @param steps the number of noise levels
 * @param rho the factor of the gradient
 * @param stateVariance the fraction that the projection of the gradient keeps, see {@link StateProjection}; 1 is none
 */
public record GuidedSampling(String name, int steps, double rho, double stateVariance, Sampler sampler, Start init,
                             PixelConsistency consistency) {
    /**
     * The loss that guides.
     *
     * @param what distinguishes the loss from others with the same name: the options on which its program depends
     * @param level the network evaluations of one evaluation of its gradient
     * @param column the output of the program that is reported in addition; empty if there is none
     */
    public record Guide(List<?> what, Nfe level, String column, LossGradient.Loss loss) {}

    /** The evaluations of one restoration. @param level those of one level @param each those of one prediction of the noise */
    public Nfe evaluations(Nfe level, int each) {
        return init.evaluations(steps, each).plus(level.times(steps)).plus(Nfe.decode(1, 0));
    }

    /** Restores a picture. */
    public Restoration solve(Problem p, Listener listener, Guide guide) {
        Run run = new Run(p.prior(), listener);
        Sampler.Walk walk = sampler.walk(p.prior().schedule(), steps);
        var noise = Start.stepNoise(p);
        Tensor z = init.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            Map<String, Tensor> out = run.evaluate(p.operator(), List.of(name, guide.what), guide.level,
                    () -> LossGradient.program(name, p, guide.loss), LossGradient.inputs(z, p.y(), level));
            run.counts().nfe(1);
            Tensor g = StateProjection.of(z, stateVariance).project(out.get("grad"));
            z = Vectors.minus(walk.step(i, z, out.get("eps"), noise), g, rho);
            Finite.require(z, name + ": step " + (i + 1) + " of " + steps + " (" + level + "): latent z");
            double length = Vectors.norm(g);
            Map<String, Double> values = new HashMap<>(Map.of(Step.RESIDUAL, out.get("residual").get(0) / p.noiseNorm(),
                    "gradient", length, "move", rho * length));
            if (!guide.column.isEmpty()) {
                values.put(guide.column, out.get(guide.column).get(0));
            }
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(), values));
        }
        return consistency.finish(z, p, run);
    }
}
