// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.Inpaint;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests ReSample with a Gaussian prior over pixels, whose encoder and decoder are the identity. */
class ReSampleTest extends GuidedByResidualTest {
    private static ReSample reSample(Map<String, String> options) {
        return (ReSample) Solvers.of("resample", options);
    }

    private static final Map<String, String> SMALL = Map.of("steps", "12", "interval", "2", "look-ahead", "3",
            "pixel-iterations", "4", "latent-iterations", "3", "gamma", "7", "autoencoder-variance", "0");

    /**
     * The whole algorithm, worked out number by number for a picture that is measured directly. Of 12 levels, the fits are
     * those with 8, 6, 4 (in pixels) and 2 (through the decoder) levels to follow, and the last.
     */
    @Test
    void followsTheRecursion() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "denoise");
        Tensor x = reSample(SMALL).solve(p, Listener.NONE).decoded();
        assertArrayEquals(byHand(p), x.doubles(), 1e-9);
    }

    private static double[] byHand(Problem p) {
        Sampler.Walk walk = new Ddim(0).walk(GaussianBed.SCHEDULE, 12);
        var noise = Start.stepNoise(p);
        double[] y = p.y().doubles();
        double[] z = noise(p).doubles();
        for (int i = 0; i < 12; i++) {
            NoiseLevel at = walk.levels().get(i);
            NoiseLevel to = walk.levels().get(i + 1);
            double square = 0;
            for (int j = 0; j < z.length; j++) {
                square += Math.pow(y[j] - mean(at) * z[j], 2);
            }
            for (int j = 0; j < z.length; j++) {
                double slope = -(y[j] - mean(at) * z[j]) * mean(at) / Math.sqrt(square);
                z[j] = ddim(at, to, z[j]) - 0.5 * at.abar() * slope;
            }
            int left = 11 - i;
            if (left % 2 == 0 && left > 0 && left <= 8) {
                Tensor n = noise.get();
                double s = 7 * (1 - to.abar()) / (1 - at.abar()) * (1 - at.abar() / to.abar());
                for (int j = 0; j < z.length; j++) {
                    double ahead = z[j];
                    double zhat = ahead;
                    for (int k = i + 1; k <= Math.min(i + 3, 11); k++) {
                        zhat = mean(walk.levels().get(k)) * ahead;
                        ahead = ddim(walk.levels().get(k), walk.levels().get(k + 1), ahead);
                    }
                    zhat = left >= 4 ? adamw(zhat, y[j], z.length, 0.01, 4) : adamw(zhat, y[j], z.length, 0.005, 3);
                    double noisy = 1 - to.abar();
                    z[j] = (s * to.sqrtAbar() * zhat + noisy * z[j]) / (s + noisy)
                            + Math.sqrt(s * noisy / (s + noisy)) * n.get(j);
                }
            }
        }
        for (int j = 0; j < z.length; j++) {
            z[j] = adamw(z[j], y[j], z.length, 0.005, 3);
        }
        return z;
    }

    /** The factor of z in the posterior mean of the clean number. */
    private static double mean(NoiseLevel at) {
        return at.sqrtAbar() * STD * STD / (at.abar() * STD * STD + 1 - at.abar());
    }

    private static double ddim(NoiseLevel at, NoiseLevel to, double z) {
        double eps = (z - at.sqrtAbar() * mean(at) * z) / at.sigma();
        return to.sqrtAbar() * mean(at) * z + to.sigma() * eps;
    }

    /** AdamW as torch.optim.AdamW documents it, on (y - x)^2/m, with its default decay 0.01. */
    private static double adamw(double x, double y, int m, double rate, int iterations) {
        double first = 0;
        double second = 0;
        for (int k = 1; k <= iterations; k++) {
            double g = 2 * (x - y) / m;
            x -= rate * 0.01 * x;
            first = 0.9 * first + 0.1 * g;
            second = 0.999 * second + 0.001 * g * g;
            x -= rate * first / (1 - Math.pow(0.9, k)) / (Math.sqrt(second / (1 - Math.pow(0.999, k))) + 1e-8);
        }
        return x;
    }

    /** Without fits and with a factor that does not depend on the level, it is latent DPS. */
    @Test
    void withoutFitsItIsLdps() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0.1, STD), "sr:4");
        double[] none = Solvers.of("resample:steps=9,rho=0,latent-iterations=0,interval=10").solve(p, Listener.NONE).image()
                .doubles();
        assertArrayEquals(Solvers.of("ldps:steps=9,rho=0").solve(p, Listener.NONE).image().doubles(), none, 1e-12);
        double[] once = Solvers.of("resample:steps=1,rho=0.7,latent-iterations=0").solve(p, Listener.NONE).image().doubles();
        double abar = new Ddim(0).walk(GaussianBed.SCHEDULE, 1).levels().getFirst().abar();
        assertArrayEquals(Solvers.of("ldps:steps=1,rho=" + 0.7 * abar).solve(p, Listener.NONE).image().doubles(), once, 1e-12);
    }

    /** The last fit ends where the mean square is the noise's plus that of the autoencoder. */
    @Test
    void theLastFitEndsAtTheNoiseLevel() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "denoise");
        for (double extra : new double[] {0, 0.01}) {
            Restoration x = Solvers.of("resample:steps=30,autoencoder-variance=" + extra).solve(p, Listener.NONE);
            double expected = Math.sqrt(1 + extra / (p.sigma() * p.sigma()));
            assertTrue(x.residual() <= expected && x.residual() > 0.9 * expected, "residual " + x.residual() + ", expected "
                    + expected);
        }
    }

    /**
     * Measured pixels are within the noise of their measurement. The others are normal with a variance that follows from the
     * recursion, which is linear there; their standard deviation is within four standard errors of its root.
     */
    @Test
    void holesHaveTheVarianceOfTheRecursionAndTheRestIsMeasured() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "inpaint:random:0.5");
        Tensor mask = ((Inpaint) p.operator()).mask();
        double holes = 0;
        double kept = 0;
        int count = 0;
        for (long seed = 0; seed < 10; seed++) {
            Problem again = new Problem(p.prior(), p.operator(), p.y(), p.sigma(), seed);
            Tensor x = Solvers.of("resample:steps=50,interval=5,decay=0,autoencoder-variance=0").solve(again, Listener.NONE)
                    .decoded();
            for (int i = 0; i < x.size(); i++) {
                if (mask.get(i / 3) == 0) {
                    holes += x.get(i) * x.get(i);
                    count++;
                } else {
                    kept += Math.pow(x.get(i) - p.y().get(i), 2);
                }
            }
        }
        double rms = Math.sqrt(kept / (10 * p.image().size() - count));
        assertTrue(rms <= p.sigma(), "kept pixels are " + rms + " from their measurement, the noise is " + p.sigma());
        double std = Math.sqrt(holes / count);
        double expected = Math.sqrt(varianceOfHoles());
        assertEquals(expected, std, 4 * expected / Math.sqrt(2.0 * count), "the standard deviation of pixels in holes");
    }

    /** The variance of a pixel that is not measured, after 50 levels with resampling at every fifth of the last two thirds. */
    private static double varianceOfHoles() {
        Sampler.Walk walk = new Ddim(0).walk(GaussianBed.SCHEDULE, 50);
        double variance = 1;
        for (int i = 0; i < 50; i++) {
            NoiseLevel at = walk.levels().get(i);
            NoiseLevel to = walk.levels().get(i + 1);
            variance *= Math.pow(ddim(at, to, 1), 2);
            int left = 49 - i;
            if (left % 5 == 0 && left > 0 && left <= 34) {
                double ahead = 1;
                for (int k = i + 1; k < i + 5; k++) {
                    ahead *= ddim(walk.levels().get(k), walk.levels().get(k + 1), 1);
                }
                double zhat = ahead * mean(walk.levels().get(i + 5));
                double s = 40 * (1 - to.abar()) / (1 - at.abar()) * (1 - at.abar() / to.abar());
                double noisy = 1 - to.abar();
                variance *= Math.pow((s * to.sqrtAbar() * zhat + noisy) / (s + noisy), 2);
                variance += s * noisy / (s + noisy);
            }
        }
        return variance;
    }

    /** Projected fits change the result, cost one more decoding for each fit in pixels, and are off at 1. */
    @Test
    void stateVarianceProjectsTheFits() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4");
        ReSample plain = reSample(SMALL);
        Map<String, String> options = new HashMap<>(SMALL);
        options.put("state-variance", "0.9");
        Restoration projected = reSample(options).solve(p, Listener.NONE);
        Restoration x = plain.solve(p, Listener.NONE);
        assertTrue(Vectors.norm(Vectors.minus(projected.image(), x.image(), 1)) > 1e-3);
        assertEquals(reSample(options).evaluations(1), projected.counts().evaluations());
        assertEquals(3, projected.counts().evaluations().decodes() - x.counts().evaluations().decodes());
    }

    @Test
    void counts() {
        // 12 levels, look-aheads of 3, 3, 3 and 2, three fits in pixels, two fits of 3 iterations, the last decoding
        countsWhatRan(reSample(SMALL), "nfe=23 unet_forwards=23 unet_vjps=12 decodes=22 decode_vjps=18 encodes=3");
    }

    @Test
    void theNumberOfEvaluationsIsTheLargest() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "denoise");
        Solver solver = Solvers.of("resample:steps=30,autoencoder-variance=0.01");
        Restoration x = solver.solve(p, Listener.NONE);
        assertTrue(x.counts().evaluations().decodes() < solver.evaluations(1).decodes());
        assertEquals(solver.evaluations(1).unetForwards(), x.counts().evaluations().unetForwards());
        // the published settings: 500 levels, fits at 330, 320, ..., 10; in pixels from 170, through the decoder from 160
        assertEquals("unet_forwards=665 unet_vjps=500 decodes=9018 decode_vjps=9000 encodes=17",
                reSample(Map.of()).evaluations(1).toString());
    }

    @Test
    void anInfiniteLatentStopsTheRunByName() {
        Finite.NotFinite e = assertThrows(Finite.NotFinite.class, () -> reSample(SMALL).solve(
                GaussianBed.problem(MixturePrior.normal(Double.NaN, STD), "sr:4"), Listener.NONE));
        assertTrue(e.getMessage().startsWith("resample: step 1 of 12 (t=914): latent z is not finite"), e.getMessage());
    }

    /** A run can be cancelled in the middle of a fit. */
    @Test
    void cancellingStopsAFit() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "denoise");
        int[] asked = {0};
        boolean[] ended = {false};
        Listener l = new Listener() {
            @Override
            public void step(Step s) {
                ended[0] = s.step() == 12;
            }

            @Override
            public boolean cancelled() {
                return ended[0] && ++asked[0] > 3;
            }
        };
        assertThrows(CancellationException.class, () -> reSample(Map.of("steps", "12")).solve(p, l));
        assertEquals(4, asked[0], "the run stopped within the last fit");
    }

    @Test
    void sameSeedSameBytes() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4");
        double[] once = reSample(SMALL).solve(p, Listener.NONE).image().doubles();
        assertArrayEquals(once, reSample(SMALL).solve(p, Listener.NONE).image().doubles());
        Problem other = new Problem(p.prior(), p.operator(), p.y(), p.sigma(), 8);
        assertNotEquals(once[0], reSample(SMALL).solve(other, Listener.NONE).image().get(0));
    }

    @Test
    void theLastStepInPixelsIsAnOption() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4");
        Map<String, String> options = new HashMap<>(SMALL);
        options.put("consistency", "pixel");
        assertEquals(PixelConsistency.PIXEL, reSample(options).consistency());
        assertTrue(reSample(options).solve(p, Listener.NONE).residual() <= 1.0001);
    }
}
