// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.StateProjection;
import org.tweedie.inverse.Vectors;
import org.tweedie.program.Tensor;

/**
 * Tests latent DAPS with a prior N(0, S) of independent pixels that are measured directly. There eps = sigma z / (S + sigma^2)
 * on the variance-exploding scale, and all numbers are jointly normal, with moments that a recursion gives.
 */
class LatentDapsTest extends GuidedByResidualTest {
    private static final double S = STD * STD;

    private static LatentDaps daps(String options) {
        return (LatentDaps) Solvers.of("latent-daps:" + options);
    }

    private static Problem problem(long seed) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "denoise");
        return new Problem(p.prior(), p.operator(), p.y(), p.sigma(), seed);
    }

    /** Karras' level i of n, for n - 1 intervals. */
    private static double sigma(double most, double least, int i, int n) {
        double first = Math.pow(most, 1 / 7.0);
        return Math.pow(first + (double) i / (n - 1) * (Math.pow(least, 1 / 7.0) - first), 7);
    }

    /** The factor by which the ODE's Euler steps multiply a number. */
    private static double flow(double sigma, int ode) {
        double factor = 1;
        for (int k = 0; k < ode; k++) {
            double from = sigma(sigma, 0.001, k, ode + 1);
            factor *= 1 + (sigma(sigma, 0.001, k + 1, ode + 1) - from) * from / (S + from * from);
        }
        return factor;
    }

    /** The whole algorithm, worked out number by number, with a clip that is reached. */
    @Test
    void followsTheRecursion() {
        Problem p = problem(7);
        double[] x = daps("steps=4,ode=3,langevin=5,sigma-max=8,sigma-min=0.2,lr=1e-3,lr-ratio=0.4,momentum=0.6,tau=0.1,"
                + "clip=0.5").solve(p, Listener.NONE).decoded().doubles();
        var noise = Start.stepNoise(p);
        double[] y = p.y().doubles();
        double[] z = Vectors.scale(8, noise(p)).doubles();
        double[] u = z.clone();
        for (int i = 0; i < 4; i++) {
            double sigma = sigma(8, 0.2, i, 5);
            double h = Math.sqrt(1e-3 * (1 + i / 5.0 * (0.4 - 1)));
            double[] v = noise.get().doubles();
            for (int j = 0; j < z.length; j++) {
                z[j] *= flow(sigma, 3);
                u[j] = z[j];
            }
            for (int n = 0; n < 5; n++) {
                Tensor e = noise.get();
                for (int j = 0; j < z.length; j++) {
                    double slope = Math.max(-0.5, Math.min(0.5, -2 * (y[j] - u[j])));
                    double q = (z[j] - u[j]) / (sigma * sigma) - slope / (0.1 * 0.1);
                    v[j] = 0.6 * v[j] + h * q + Math.sqrt(0.8) * e.get(j);
                    u[j] += h * v[j];
                }
            }
            if (i < 3) {
                z = Vectors.mix(1, Tensor.of(p.image(), u), sigma(8, 0.2, i + 1, 5), noise.get()).doubles();
            }
        }
        assertArrayEquals(u, x, 1e-9);
    }

    /**
     * A long chain of small steps at one level draws from the posterior of the prior N(zhat, sigma^2) and a measurement with
     * the noise variance tau^2/2. Over n = 2112 numbers, the standardised mean is within 4/sqrt(n) of 0, and the variance
     * within 4 sqrt(2/n) of 1; steps of lr = 0.01 posterior variances change the variance by less than a percent.
     */
    @ParameterizedTest
    @CsvSource({"0, 600", "0.7, 300", "0.9, 200"})
    void aLongChainDrawsFromThePosterior(double momentum, int langevin) {
        double sigma = 0.8;
        double tau = 0.5;
        double precision = 1 / (sigma * sigma) + 2 / (tau * tau);
        LatentDaps solver = daps("steps=1,sigma-max=0.8,tau=0.5,clip=1e6,lr=" + 0.01 / precision + ",momentum=" + momentum
                + ",langevin=" + langevin);
        Moments moments = new Moments();
        for (long seed = 1; seed <= 11; seed++) {
            Problem p = problem(seed);
            Tensor x = solver.solve(p, Listener.NONE).decoded();
            Tensor zhat = Vectors.scale(sigma * flow(sigma, 2), noise(p));
            Tensor mean = Vectors.mix(1 / (sigma * sigma) / precision, zhat, 2 / (tau * tau) / precision, p.y());
            moments.add(Vectors.scale(Math.sqrt(precision), Vectors.minus(x, mean, 1)));
        }
        moments.areStandard();
    }

    /** The mean and variance of numbers that should be standard normal and independent. */
    private static final class Moments {
        private double sum;
        private double squares;
        private int n;

        void add(Tensor x) {
            for (int i = 0; i < x.size(); i++) {
                sum += x.get(i);
                squares += x.get(i) * x.get(i);
                n++;
            }
        }

        void areStandard() {
            assertEquals(0, sum / n, 4 / Math.sqrt(n), "mean of " + n);
            assertEquals(1, squares / n, 4 * Math.sqrt(2.0 / n), "variance of " + n);
        }
    }

    /** The result of all levels has the mean and variance that the recursion of moments gives, within four standard errors. */
    @Test
    void theResultHasTheMomentsOfTheRecursion() {
        LatentDaps solver = daps("steps=6,langevin=8,tau=0.4,clip=1e6,lr=2e-3,momentum=0.7,lr-ratio=0.5");
        Normal expected = expected(solver);
        Moments moments = new Moments();
        for (long seed = 1; seed <= 11; seed++) {
            Problem p = problem(seed);
            Tensor x = solver.solve(p, Listener.NONE).decoded();
            moments.add(Vectors.scale(1 / Math.sqrt(expected.variance), Vectors.minus(x, p.y(), expected.mean)));
        }
        moments.areStandard();
    }

    /** A number that is normal with this variance, and with this mean for each unit of its measurement. */
    private record Normal(double mean, double variance) {}

    /** Carries mean and covariance of the numbers (u, v, zhat) through the chains of all levels. */
    private static Normal expected(LatentDaps o) {
        Normal z = new Normal(0, o.sigmaMax() * o.sigmaMax());
        for (int i = 0; i < o.steps(); i++) {
            double sigma = sigma(o.sigmaMax(), o.sigmaMin(), i, o.steps() + 1);
            double h = Math.sqrt(o.lr() * (1 + i / (o.steps() + 1.0) * (o.lrRatio() - 1)));
            double pull = 1 / (sigma * sigma);
            double fit = 2 / (o.tau() * o.tau());
            double f = flow(sigma, o.ode());
            double[] mean = {f * z.mean, 0, f * z.mean};
            double variance = f * f * z.variance;
            double[][] c = {{variance, 0, variance}, {0, 1, 0}, {variance, 0, variance}};
            double[] v = {-h * (pull + fit), o.momentum(), h * pull};
            double[][] m = {{1 + h * v[0], h * v[1], h * v[2]}, v, {0, 0, 1}};
            double s2 = 2 * (1 - o.momentum());
            for (int n = 0; n < o.langevin(); n++) {
                mean = times(m, mean);
                mean[0] += h * h * fit;
                mean[1] += h * fit;
                double[][] half = new double[3][];
                for (int j = 0; j < 3; j++) {
                    half[j] = times(m, c[j]); // row j of C M^T, as C is symmetric
                }
                for (int j = 0; j < 3; j++) {
                    c[j] = times(m, new double[] {half[0][j], half[1][j], half[2][j]}); // column j of M C M^T
                }
                c[0][0] += h * h * s2;
                c[0][1] += h * s2;
                c[1][0] += h * s2;
                c[1][1] += s2;
            }
            double next = i < o.steps() - 1 ? sigma(o.sigmaMax(), o.sigmaMin(), i + 1, o.steps() + 1) : 0;
            z = new Normal(mean[0], c[0][0] + next * next);
        }
        return z;
    }

    private static double[] times(double[][] m, double[] x) {
        double[] out = new double[3];
        for (int i = 0; i < 3; i++) {
            out[i] = m[i][0] * x[0] + m[i][1] * x[1] + m[i][2] * x[2];
        }
        return out;
    }

    /** The first Langevin step with and without the projection differs by what the projection takes from the gradient. */
    @Test
    void stateVarianceProjectsTheGradientOntoTheEstimate() {
        Problem p = problem(7);
        String options = "steps=1,langevin=1,tau=0.5,clip=1e6,lr=1e-3,state-variance=";
        Tensor plain = daps(options + "1").solve(p, Listener.NONE).decoded();
        Tensor projected = daps(options + "0.8").solve(p, Listener.NONE).decoded();
        Tensor zhat = Vectors.scale(10 * flow(10, 2), noise(p));
        Tensor g = Vectors.scale(2, Vectors.minus(zhat, p.y(), 1));
        Tensor lost = Vectors.minus(g, StateProjection.of(zhat, 0.8).project(g), 1);
        assertTrue(Vectors.norm(lost) > 0.1 * Vectors.norm(g));
        assertArrayEquals(Vectors.scale(1e-3 / 0.25, lost).doubles(), Vectors.minus(projected, plain, 1).doubles(), 1e-9);
    }

    @Test
    void counts() {
        countsWhatRan(daps("steps=3,langevin=4"), "nfe=6 unet_forwards=6 unet_vjps=0 decodes=13 decode_vjps=12 encodes=0");
        assertEquals("unet_forwards=200 unet_vjps=0 decodes=2001 decode_vjps=2000 encodes=0",
                daps("steps=50").evaluations(2).toString());
    }

    @Test
    void tasksHaveTheSettingsOfThePublishedFiles() {
        LatentDaps sr = (LatentDaps) Solvers.of("latent-daps", "sr:4");
        assertEquals(30, sr.langevin());
        assertEquals(1e-4, sr.lr());
        assertEquals(0.45, sr.momentum());
        LatentDaps box = (LatentDaps) Solvers.of("latent-daps", "inpaint:box");
        assertEquals(1.11e-6, box.lr());
        assertEquals(0.43, box.lrRatio());
        assertEquals(0.01, box.tau());
        assertEquals(15, ((LatentDaps) Solvers.of("latent-daps", "inpaint:random:0.7")).langevin());
        assertEquals(0.85, ((LatentDaps) Solvers.of("latent-daps", "motion")).momentum());
    }

    @Test
    void aChainThatDivergesStopsTheRunByName() {
        Finite.NotFinite e = assertThrows(Finite.NotFinite.class, () -> daps("steps=3,langevin=400,lr=1e3,clip=1e300")
                .solve(problem(7), Listener.NONE));
        assertTrue(e.getMessage().startsWith("latent-daps: step 1 of 3 (sigma=10.000000000000002), Langevin step "),
                e.getMessage());
        e = assertThrows(Finite.NotFinite.class, () -> daps("steps=3").solve(
                GaussianBed.problem(MixturePrior.normal(Double.NaN, STD), "sr:4"), Listener.NONE));
        assertTrue(e.getMessage().startsWith("latent-daps: step 1 of 3 (sigma=10.000000000000002): clean estimate is not"),
                e.getMessage());
    }

    @Test
    void wrongLevelsAreNamed() {
        assertEquals("sigma-min: expected less than sigma-max, 10.0, got 12.0",
                assertThrows(IllegalArgumentException.class, () -> daps("sigma-min=12")).getMessage());
        String message = assertThrows(IllegalArgumentException.class, () -> daps("sigma-max=20").solve(problem(7),
                Listener.NONE)).getMessage();
        assertTrue(message.startsWith("sigma-max: expected at most 14.6"), message);
    }

    @Test
    void cancellingStopsWithinAChain() {
        int[] asked = {0};
        Listener l = new Listener() {
            @Override
            public void step(Step s) {
                throw new AssertionError("the first chain must not end");
            }

            @Override
            public boolean cancelled() {
                return ++asked[0] > 20;
            }
        };
        assertThrows(CancellationException.class, () -> daps("steps=3").solve(problem(7), l));
        assertEquals(21, asked[0]);
    }

    @Test
    void sameSeedSameBytes() {
        Map<String, String> options = Map.of("steps", "3", "langevin", "4");
        double[] once = Solvers.of("latent-daps", options).solve(problem(7), Listener.NONE).image().doubles();
        assertArrayEquals(once, Solvers.of("latent-daps", options).solve(problem(7), Listener.NONE).image().doubles());
        double[] other = Solvers.of("latent-daps", options).solve(problem(8), Listener.NONE).image().doubles();
        assertTrue(Math.abs(once[0] - other[0]) > 1e-6, "another seed must change the result");
    }
}
