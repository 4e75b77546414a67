// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.PromptedPrior;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.PixelOperator;
import org.tweedie.inverse.PixelProx;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.LinearOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;
import org.tweedie.solve.P2l.Update;

/** Tests P2L with a Gaussian prior over pixels whose mean is the text. */
class P2lTest {
    private static final double STD = 0.6;
    private static final int TOKENS = 2;
    private static final PromptedPrior PRIOR = new PromptedPrior(Vectors.scale(0.1, OpCase.random(Shape.of(1, TOKENS, 3), 9)),
            STD);

    private static P2l p2l(int steps, double promptLr, int interval, Update update, double rho) {
        return new P2l(steps, 1, promptLr, interval, 1, 10, update, rho, new Ddim(0), Start.NOISE, PixelConsistency.NONE);
    }

    private static Problem problem(String task) {
        return GaussianBed.problem(PRIOR, task);
    }

    /** Adam in double, apart from the one that the solver uses. */
    private static final class PlainAdam {
        private final double[] m;
        private final double[] v;
        private int k;

        PlainAdam(int n) {
            m = new double[n];
            v = new double[n];
        }

        void step(double[] x, double[] g, double lr) {
            k++;
            for (int i = 0; i < x.length; i++) {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                x[i] -= lr * m[i] / (1 - Math.pow(0.9, k)) / (Math.sqrt(v[i] / (1 - Math.pow(0.999, k))) + 1e-8);
            }
        }
    }

    /** The mean of the latent at a level for a text, J z + (1 - sqrt(abar) J) m, and A^T r / |r| for its residual r. */
    private record At(double j, double share, Tensor zhat, Tensor slope) {
        static At of(Problem p, NoiseLevel at, double[] z, double[] c) {
            double j = at.sqrtAbar() * STD * STD / (at.abar() * STD * STD + 1 - at.abar());
            double share = 1 - at.sqrtAbar() * j;
            double[] zhat = new double[z.length];
            for (int i = 0; i < z.length; i++) {
                zhat[i] = j * z[i] + share * (c[i % 3] + c[3 + i % 3]);
            }
            Tensor x = Tensor.of(p.image(), zhat);
            Tensor r = Applied.residual(p.operator(), p.y(), x);
            Tensor slope = Applied.adjoint((LinearOperator) p.operator(), r, p.image());
            return new At(j, share, x, Vectors.scale(1 / Vectors.norm(r), slope));
        }

        double[] gradientOfText() {
            double[] g = new double[3 * TOKENS];
            for (int k = 0; k < g.length; k++) {
                for (int i = k % 3; i < slope.size(); i += 3) {
                    g[k] -= share * slope.get(i);
                }
            }
            return g;
        }
    }

    /** The whole method in double: the text's step, the latent's step with the new text, the projection at its levels. */
    @ParameterizedTest
    @CsvSource({"denoise,constant", "sr:2,constant", "blur:1,adam", "inpaint:random:0.5,adam"})
    void followsTheRecursion(String task, String rule) {
        Problem p = problem(task);
        Update update = Update.valueOf(rule.toUpperCase(Locale.ROOT));
        int steps = 11;
        List<NoiseLevel> levels = new Ddim(0).walk(GaussianBed.SCHEDULE, steps).levels();
        PixelProx prox = new PixelProx(new PixelOperator(p, new Run(p.prior(), Listener.NONE)), 1, 10, "");
        double[] z = GuidedByResidualTest.noise(p).doubles();
        double[] c = PRIOR.text().doubles();
        PlainAdam adamZ = new PlainAdam(z.length);
        PlainAdam adamC = new PlainAdam(c.length);
        for (int i = 0; i < steps; i++) {
            NoiseLevel from = levels.get(i);
            NoiseLevel to = levels.get(i + 1);
            adamC.step(c, At.of(p, from, z, c).gradientOfText(), 0.02);
            At at = At.of(p, from, z, c);
            boolean projects = i == 2 || i == 6 || i == 10; // every fourth, with the last level among them
            Tensor zhat = projects ? prox.of(at.zhat) : at.zhat;
            double[] g = Vectors.scale(-at.j, at.slope).doubles();
            for (int k = 0; k < z.length; k++) {
                double eps = (z[k] - from.sqrtAbar() * zhat.get(k)) / from.sigma();
                z[k] = to.sqrtAbar() * zhat.get(k) + to.sigma() * eps - (update == Update.ADAM ? 0 : 0.3 * g[k]);
            }
            if (update == Update.ADAM) {
                adamZ.step(z, g, 0.3);
            }
        }
        assertArrayEquals(z, p2l(steps, 0.02, 4, update, 0.3).solve(p, Listener.NONE).decoded().doubles(), 1e-8);
    }

    /** Without the prompt's steps and the projection, what is left is LDPS, whichever of the two switches is used. */
    @Test
    void withoutTuningAndProjectionItIsLdps() {
        Problem p = problem("sr:4");
        double[] ldps = new Ldps(9, 0.7, new Ddim(1), Start.NOISE, PixelConsistency.NONE).solve(p, Listener.NONE).image()
                .doubles();
        for (P2l s : List.of(
                new P2l(9, 1, 0, 0, 1, 10, Update.CONSTANT, 0.7, new Ddim(1), Start.NOISE, PixelConsistency.NONE),
                new P2l(9, 0, 1, 0, 1, 10, Update.CONSTANT, 0.7, new Ddim(1), Start.NOISE, PixelConsistency.NONE))) {
            assertArrayEquals(ldps, s.solve(p, Listener.NONE).image().doubles(), 1e-12);
        }
    }

    /**
     * A published code tunes the prompt at the first level only, and samples without it. Here each level moves it, and the
     * colour that the prior expects goes to the colour of the measurement, which is far from that of the first text.
     */
    @Test
    void thePromptIsTunedAtEveryLevelAndIsUsed() {
        Problem seen = problem("denoise");
        double[] bright = seen.y().doubles();
        for (int i = 0; i < bright.length; i++) {
            bright[i] += 3;
        }
        Problem p = new Problem(seen.prior(), seen.operator(), Tensor.of(seen.y().shape(), bright), seen.sigma(), 7);
        List<Step> steps = new ArrayList<>();
        Tensor tuned = p2l(40, 0.05, 0, Update.CONSTANT, 0).solve(p, steps::add).decoded();
        steps.forEach(s -> assertTrue(s.value("prompt_move") > 1e-3, s + ": the prompt stands still"));
        Tensor fixed = p2l(40, 0, 0, Update.CONSTANT, 0).solve(p, Listener.NONE).decoded();
        double mean = 0;
        double before = 0;
        for (int i = 0; i < tuned.size(); i++) {
            mean += tuned.get(i) / tuned.size();
            before += fixed.get(i) / fixed.size();
        }
        assertTrue(mean - before > 1, "the latent takes no step of its own, so only the prompt can move the mean from "
                + before + " to " + mean);
    }

    /** More steps on the prompt at each level take more evaluations; projections take an encoding each. */
    @Test
    void counts() {
        for (P2l s : List.of(p2l(9, 1e-4, 4, Update.ADAM, 0.05), p2l(9, 1e-4, 0, Update.CONSTANT, 0.05),
                new P2l(8, 3, 1e-4, 4, 1, 10, Update.ADAM, 0.05, new Ddim(0), Start.DDIM, PixelConsistency.NONE))) {
            List<Step> steps = new ArrayList<>();
            Restoration x = s.solve(problem("sr:4"), steps::add);
            assertEquals(s.evaluations(1), x.counts().evaluations());
            assertEquals(s.steps(), steps.size());
            assertEquals((s.promptSteps() + 1L) * s.steps(), x.counts().nfe());
            steps.forEach(step -> assertEquals(Set.copyOf(s.columns()), step.values().keySet()));
        }
        assertEquals("unet_forwards=18 unet_vjps=18 decodes=19 decode_vjps=18 encodes=3",
                p2l(9, 1e-4, 4, Update.ADAM, 0.05).evaluations(1).toString());
    }

    @Test
    void superResolutionTakesConstantSteps() {
        assertEquals(Update.CONSTANT, ((P2l) Solvers.of("p2l", "sr:8")).update());
        assertEquals(Update.ADAM, ((P2l) Solvers.of("p2l", "motion")).update());
    }

    @Test
    void endsEarlyWithOneLine() {
        Problem p = problem("sr:4");
        P2l s = p2l(5, 1e-4, 2, Update.ADAM, 0.05);
        Halting.stopsAtNaN(s, p, "p2l: step 1 of 5 (t=");
        Halting.stopsWhenCancelled(s, p);
        assertEquals("p2l: expected a prior whose text can be tuned (PromptedDenoiser), got MixturePrior; choose another solver",
                refusal(s, GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4")));
        Problem cubic = GaussianBed.problem(new ReferenceDevice(), PRIOR, new NonLinearTest.Cubic(), 7);
        assertEquals("p2l: expected a linear operator, got 'cubic'; choose another solver or task", refusal(s, cubic));
        p2l(3, 1e-4, 0, Update.ADAM, 0.05).solve(cubic, Listener.NONE); // without the projection A need not be linear
    }

    private static String refusal(P2l s, Problem p) {
        return assertThrows(IllegalArgumentException.class, () -> s.solve(p, Listener.NONE)).getMessage();
    }
}
