// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.Inpaint;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/**
 * Tests of solvers that take one gradient step on norms at each level, with a prior N(0, S) of independent pixels. For this
 * prior zbar, eps and J are known: with v = abar S + sigma^2, eps = sigma z / v, zbar = J z and J = sqrt(abar) S / v.
 */
abstract class GuidedByResidualTest {
    static final double STD = 0.6;

    /** The gradient, with respect to the pixels of zbar, of the norms that the solver minimises, for the residual r. */
    interface Slope {
        Tensor of(Tensor r);
    }

    /** The same for terms that depend on more than the residual. */
    interface SlopeAt {
        Tensor of(Tensor zbar, Tensor r);
    }

    /**
     * Checks that a solver follows the recursion of its paper, which is worked out in double precision from the known score.
     */
    static void followsItsRecursion(Solver solver, Problem p, Slope slope, Tensor expectedStart) {
        follows(solver, p, (zbar, r) -> slope.of(r), expectedStart);
    }

    static void follows(Solver solver, Problem p, SlopeAt slope, Tensor expectedStart) {
        Restoration x = solver.solve(p, Listener.NONE);
        Sampler.Walk walk = new Ddim(0).walk(GaussianBed.SCHEDULE, solver.steps());
        Tensor z = expectedStart;
        for (int i = 0; i < solver.steps(); i++) {
            NoiseLevel at = walk.levels().get(i);
            NoiseLevel to = walk.levels().get(i + 1);
            double v = at.abar() * STD * STD + at.sigma() * at.sigma();
            double j = at.sqrtAbar() * STD * STD / v;
            Tensor zbar = Vectors.scale(j, z);
            Tensor r = Applied.residual(p.operator(), p.y(), zbar);
            Tensor moved = Vectors.mix(to.sqrtAbar() * j + to.sigma() * at.sigma() / v, z, -j, slope.of(zbar, r));
            z = moved;
        }
        assertArrayEquals(z.doubles(), x.decoded().doubles(), 1e-9);
    }

    static Tensor noise(Problem p) {
        return Start.NOISE.at(new Ddim(0).walk(GaussianBed.SCHEDULE, 4), p, new Run(p.prior(), Listener.NONE));
    }

    /**
     * Checks that pixels in holes are distributed as the prior, and that the other pixels are close to their posterior mean.
     */
    static void findsThePosteriorOfAMaskedPicture(Solver solver) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "inpaint:random:0.5");
        Tensor x = solver.solve(p, Listener.NONE).decoded();
        Sampler.Walk walk = new Ddim(0).walk(GaussianBed.SCHEDULE, solver.steps());
        Tensor z = noise(p);
        Run run = new Run(p.prior(), Listener.NONE);
        for (int i = 0; i < solver.steps(); i++) {
            z = walk.step(i, z, run.eps(z, walk.levels().get(i)), null);
        }
        Tensor mask = ((Inpaint) p.operator()).mask();
        double shrink = STD * STD / (STD * STD + p.sigma() * p.sigma());
        double squares = 0;
        double count = 0;
        for (int i = 0; i < x.size(); i++) {
            if (mask.get(i / 3) == 0) {
                assertEquals(z.get(i), x.get(i), 1e-9, "a hole");
            } else {
                double gap = x.get(i) - shrink * p.y().get(i);
                squares += gap * gap;
                count++;
            }
        }
        double rms = Math.sqrt(squares / count);
        assertTrue(rms < p.sigma(), "kept pixels are " + rms + " from their posterior mean, the noise is " + p.sigma());
    }

    static void countsWhatRan(Solver solver, String expected) {
        List<Step> steps = new ArrayList<>();
        Restoration x = solver.solve(GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4"), steps::add);
        assertEquals(expected, x.counts().toString());
        assertEquals(solver.evaluations(1), x.counts().evaluations(), "what ran is what was announced");
        assertEquals(solver.steps(), steps.size());
        assertEquals(steps.getLast().total(), steps.getLast().done());
        steps.forEach(s -> assertTrue(s.values().keySet().equals(java.util.Set.copyOf(solver.columns())),
                s + " reports what it declares"));
    }
}
