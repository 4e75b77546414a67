// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.LinearOperator;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests LMAP-RPS with a Gaussian prior over pixels, whose codec is the identity. */
class LmapTest {
    private static final double STD = 0.6;

    private static Lmap lmap(int steps, double lr, double lrMin, double decay, double w) {
        return new Lmap(steps, lr, lrMin, decay, w, 50, 0, 1000, 0.1, new Ddim(1), PixelConsistency.NONE);
    }

    /** The second part alone: learning rates of 0 leave the start picture as it is. */
    private static Lmap resampling(int renoise, int levels, double rho) {
        return new Lmap(1, 0, 0, 0, 0, 50, renoise, levels, rho, new Ddim(0), PixelConsistency.NONE);
    }

    private static Problem problem(String task) {
        return GaussianBed.problem(MixturePrior.normal(0, STD), task);
    }

    @ParameterizedTest
    @ValueSource(strings = {"denoise", "sr:2", "blur:1", "inpaint:random:0.5"})
    void followsTheRecursion(String task) {
        Problem p = problem(task);
        LinearOperator op = (LinearOperator) p.operator();
        int steps = 7;
        NoiseLevel at = GaussianBed.SCHEDULE.level(50);
        double v = at.abar() * STD * STD + 1 - at.abar();
        Supplier<Tensor> noise = Start.stepNoise(p);
        double[] z = op.start(p.y()).doubles();
        double[] m = new double[z.length];
        double[] s = new double[z.length];
        for (int k = 0; k < steps; k++) {
            Tensor x = Tensor.of(p.image(), z.clone());
            Tensor atr = Applied.adjoint(op, Applied.residual(op, p.y(), x), p.image());
            Tensor n = noise.get();
            double lr = 0.01 + (2 - 0.01) * (1 + Math.cos(Math.PI * k / steps)) / 2;
            for (int j = 0; j < z.length; j++) {
                double eps = at.sigma() * (at.sqrtAbar() * z[j] + at.sigma() * n.get(j)) / v;
                double g = -2 * atr.get(j) + 0.3 * eps;
                m[j] = 0.9 * m[j] + 0.1 * g;
                s[j] = 0.999 * s[j] + 0.001 * g * g;
                z[j] = z[j] * (1 - lr * 0.02) - lr * m[j] / (1 - Math.pow(0.9, k + 1))
                        / (Math.sqrt(s[j] / (1 - Math.pow(0.999, k + 1))) + 1e-8);
            }
        }
        assertArrayEquals(z, lmap(steps, 2, 0.01, 0.02, 0.3).solve(p, Listener.NONE).decoded().doubles(), 1e-8);
    }

    /**
     * Without weight decay it comes to rest where the gradient's mean is zero: for one measured pixel, 2 (z - y) + w E[eps] = 0
     * with E[eps] = sigma sqrt(abar) z / v.
     */
    @Test
    void findsTheMaximumOfAGaussian() {
        Problem p = problem("denoise");
        NoiseLevel at = GaussianBed.SCHEDULE.level(50);
        double v = at.abar() * STD * STD + 1 - at.abar();
        double w = 1;
        double shrink = 2 / (2 + w * at.sigma() * at.sqrtAbar() / v);
        Tensor x = lmap(600, 0.1, 1e-5, 0, w).solve(p, Listener.NONE).decoded();
        double squares = 0;
        double prior = 0;
        for (int i = 0; i < x.size(); i++) {
            squares += Math.pow(x.get(i) - shrink * p.y().get(i), 2) / x.size();
            prior += Math.pow((1 - shrink) * p.y().get(i), 2) / x.size();
        }
        assertTrue(Math.sqrt(squares) < 0.05 * Math.sqrt(prior), "rms gap " + Math.sqrt(squares) + ", the prior moves by "
                + Math.sqrt(prior));
    }

    /** The second part in double: the picture with noise at the first of the levels, then steps on the squared norm. */
    @ParameterizedTest
    @ValueSource(strings = {"denoise", "sr:2", "inpaint:random:0.5"})
    void resamplesOnTheSquaredNorm(String task) {
        Problem p = problem(task);
        LinearOperator op = (LinearOperator) p.operator();
        Sampler.Walk walk = new Ddim(0).walk(GaussianBed.SCHEDULE, 20);
        Supplier<Tensor> noise = Start.stepNoise(p);
        noise.get(); // of the one iteration
        NoiseLevel top = walk.levels().get(8); // of 20 levels, 12 are below timestep 600
        assertTrue(top.timestep() <= 600 && walk.levels().get(7).timestep() > 600, top.toString());
        Tensor z = Vectors.mix(top.sqrtAbar(), op.start(p.y()), top.sigma(), noise.get());
        for (int i = 8; i < 20; i++) {
            NoiseLevel at = walk.levels().get(i);
            NoiseLevel to = walk.levels().get(i + 1);
            double v = at.abar() * STD * STD + 1 - at.abar();
            double j = at.sqrtAbar() * STD * STD / v;
            Tensor atr = Applied.adjoint(op, Applied.residual(op, p.y(), Vectors.scale(j, z)), p.image());
            z = Vectors.mix(to.sqrtAbar() * j + to.sigma() * at.sigma() / v, z, 2 * 0.2 * at.abar() * j, atr);
        }
        assertArrayEquals(z.doubles(), resampling(600, 20, 0.2).solve(p, Listener.NONE).decoded().doubles(), 1e-9);
    }

    @Test
    void counts() {
        GuidedByResidualTest.countsWhatRan(lmap(7, 2, 0.01, 0.01, 0.15),
                "nfe=7 unet_forwards=7 unet_vjps=0 decodes=8 decode_vjps=7 encodes=1");
        List<Step> steps = new ArrayList<>();
        for (int renoise : new int[] {1, 300, 301, 1000}) {
            steps.clear();
            Lmap solver = resampling(renoise, 10, 0.1);
            Restoration x = solver.solve(problem("sr:4"), steps::add);
            assertEquals(solver.evaluations(1), x.counts().evaluations());
            assertEquals(1 + Math.ceil(renoise / 100.0), steps.size());
            assertEquals(steps.getLast().total(), steps.getLast().done());
        }
    }

    @Test
    void tasksHaveTheirPublishedDefaults() {
        assertEquals("lmap", Solvers.catalogue().spec(Solvers.of("lmap", "denoise")));
        assertEquals("lmap:w=0.3,rho=0.01", Solvers.catalogue().spec(Solvers.of("lmap", "inpaint:box")));
        assertEquals("lmap:steps=100", Solvers.catalogue().spec(Solvers.of("lmap", "sr:4")));
        assertEquals("lmap:w=0.1", Solvers.catalogue().spec(Solvers.of("lmap", "motion")));
    }

    /** The loss is a function of the residual, so that A need not be linear. */
    @Test
    void aNonLinearOperatorIsInverted() {
        Problem p = GaussianBed.problem(new ReferenceDevice(), MixturePrior.normal(0, STD), new NonLinearTest.Cubic(), 7);
        Restoration x = lmap(2000, 1, 1e-3, 0, 0).solve(p, Listener.NONE);
        assertTrue(x.residual() < 1, "residual " + x.residual() + " times the noise");
    }

    @Test
    void endsEarlyWithOneLine() {
        Problem p = problem("sr:4");
        Halting.stopsAtNaN(lmap(3, 2, 0.01, 0.01, 0.15), p, "lmap: encoded start picture");
        Halting.stopsAtNaN(lmap(3, 2, 0.01, 0.01, 0.15), GaussianBed.problem(new ReferenceDevice(), MixturePrior.normal(0, STD),
                new FixedStart(), 7), "lmap: iteration 1 of 3: latent z");
        Halting.stopsWhenCancelled(lmap(5, 2, 0.01, 0.01, 0.15), p);
        Halting.stopsWhenCancelled(resampling(500, 10, 0.1), p);
        Lmap late = new Lmap(1, 0, 0, 0, 0, 1000, 0, 1000, 0.1, new Ddim(0), PixelConsistency.NONE);
        assertEquals("lmap: noise-t: expected 0 to 999, the timesteps of the model, got 1000",
                assertThrows(IllegalArgumentException.class, () -> late.solve(p, Listener.NONE)).getMessage());
    }

    /** The identity, whose start picture does not depend on the measurement. */
    private record FixedStart() implements IdentityOperator {
        @Override
        public Tensor start(Tensor y) {
            return GaussianBed.truth();
        }
    }
}
