// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.Map;
import java.util.function.Supplier;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.LossGradient;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.options.Described;
import org.tweedie.options.Option;
import org.tweedie.options.Options;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * LDIR, as the code of MAP-RPS implements it (github.com/weigerzan/MAP_RPS, method ldir). The stochastic DDIM step is taken
 * first and its sample, not the clean estimate, is decoded and compared with the measurement.
 *
 * <pre>
 * z ~ N(0,I)
 * for each level, noisiest first
 *     n ~ N(0,I);  z' = sqrt(abar') zbar(z) + sqrt(1 - abar' - s^2) eps(z) + s n          {@link Ddim}
 *     z = z' - lr abar grad_z |y - A D(z')|
 * x = D(z)
 * </pre>
 *
 * <p>Conventions: the norm is plain, not squared; the gradient is taken at z through the step with its noise fixed, and is
 * subtracted after the step; abar is that of the level before the step; the result is the decoded last z. The residual that a
 * step reports is that of the sample, |y - A D(z')|, which still has the noise of its level.
 *
 * <p>The code of the original method has not been found; it also uses gradients of earlier steps, which this form leaves out.
 * MAP-RPS's code has both norms, the squared one being its default, and gives no step size for this method; with the plain norm
 * its scripts use 0.1 to 1.5 for other guidance. The default 1 with the plain norm is ours, for 1000 steps. The moves of all
 * levels together grow with lr times the number of steps, so fewer steps need a larger lr: on one photograph (demo model, sr:8)
 * lr 1 with 1000 steps and lr 5 with 100 left residuals of 1.5 and 2.2 times the noise, lr 1 with 100 left 49.
 */
@Described(name = "ldir",
        conventions = "The data term is the plain norm |y - A D(z')| of the next noisy latent z', not of the clean "
        + "estimate. Its gradient, through decoder, DDIM step and UNet, is subtracted from z'. Starts from "
        + "noise; DDIM with eta 1; the result is D(z) of the last z, without pixel consistency. The standard "
        + "deviation of the noise is not used.",
        source = "the code of MAP-RPS (ICML 2026), without the historical gradients of the original",
        text = "LDIR: takes a noisy DDIM step, decodes its sample and follows the residual's gradient through the step.")
public record Ldir(
        @Option(value = "1000", min = 1, symbol = "T", text = "The number of noise levels.") int steps,
        @Option(value = "1", min = 0, symbol = "lr", text = "The factor of the gradient, which abar multiplies at each level; 0 "
                + "is DDIM.")
        double lr,
        @Option(value = "1", min = 0, max = 1, symbol = "η", text = "The amount of noise that a DDIM step adds; 1 is ancestral "
                + "sampling.") double eta,
        @Option(value = "noise", text = "The latent to start from: noise, qsample (the encoded start picture with noise), ddim "
                + "(its inversion) or ddim-noise (its inversion with noise).") Start init,
        @Option(value = "none", text = "The last step: none leaves the picture as it was decoded, pixel moves it onto the "
                + "measurement.")
        PixelConsistency consistency) implements Solver {
    public Ldir {
        Options.check(Ldir.class, steps, lr, eta, init, consistency);
    }

    @Override
    public Nfe evaluations(int each) {
        return init.evaluations(steps, each).plus(level(each).times(steps)).plus(Nfe.decode(1, 0));
    }

    private static Nfe level(int each) {
        return Nfe.unet(each, each).plus(Nfe.decode(1, 1));
    }

    @Override
    public Restoration solve(Problem p, Listener listener) {
        Run run = new Run(p.prior(), listener);
        Ddim ddim = new Ddim(eta);
        Sampler.Walk walk = ddim.walk(p.prior().schedule(), steps);
        Supplier<Tensor> noise = Start.stepNoise(p);
        int each = p.prior().denoiser().evaluations();
        Tensor z = init.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            NoiseLevel level = walk.levels().get(i);
            NoiseLevel to = walk.levels().get(i + 1);
            Tensor n = noise.get();
            Map<String, Tensor> in = LossGradient.inputs(z, p.y(), level);
            in.put("to.sqrt_abar", scalar(to.sqrtAbar()));
            in.put("to.direction", scalar(ddim.direction(level, to)));
            in.put("to.noise", Vectors.scale(ddim.noise(level, to), n));
            Map<String, Tensor> out = run.evaluate(p.operator(), "ldir", level(each), () -> program(p), in);
            run.counts().nfe(1);
            Tensor g = out.get("grad");
            double size = lr * level.abar();
            z = Vectors.minus(walk.step(i, z, out.get("eps"), () -> n), g, size);
            Finite.require(z, "ldir: step " + (i + 1) + " of " + steps + " (" + level + "): latent z");
            double length = Vectors.norm(g);
            run.step(new Step(i + 1, steps, 1, 1, level.timestep(),
                    Map.of(Step.RESIDUAL, out.get("residual").get(0) / p.noiseNorm(),
                    "gradient", length, "move", size * length)));
        }
        return consistency.finish(z, p, run);
    }

    private static Tensor scalar(double x) {
        return Tensor.of(Shape.of(), new double[] {x});
    }

    /** Traces eps, the residual's norm for the sample z' of the step, and the norm's gradient in z. */
    private static Program program(Problem p) {
        Tracer t = new Tracer("ldir");
        Type latent = Type.real(p.prior().latent());
        Value z = t.input("z", latent);
        Value y = t.input("measurement", Type.real(p.y().shape()));
        NoiseLevel.Traced level = NoiseLevel.inputs(t, "");
        Value toSqrtAbar = t.input("to.sqrt_abar", Type.real());
        Value direction = t.input("to.direction", Type.real());
        Value noise = t.input("to.noise", latent); // s n
        Value eps = p.prior().denoiser().eps(t, z, level);
        Value mean = t.add(t.mul(level.mean(t, z, eps), toSqrtAbar), t.mul(eps, direction));
        Value x = p.prior().codec().decode(t, t.add(mean, noise)); // [1,H,W,3]
        Value residual = LossGradient.norm(t, p.operator().residual(t, y, x));
        t.output("eps", eps);
        t.output("residual", residual);
        t.output("grad", Vjp.pull(t, Map.of(residual, t.constant(1.0)), z)[0]);
        return Simplify.of(t.finish());
    }
}
