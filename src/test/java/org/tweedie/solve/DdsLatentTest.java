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
import org.tweedie.inverse.Start;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.Inpaint;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Ddim;

/** Tests DDS in latent space with a Gaussian prior over pixels, whose codec is the identity. */
class DdsLatentTest extends GuidedByResidualTest {
    private static DdsLatent dds(int steps, int every, double until, double lam) {
        return new DdsLatent(steps, every, until, lam, 5, new Ddim(0), Start.NOISE, PixelConsistency.NONE);
    }

    /** The recursion in double, with the correction's closed form: a mask or the identity, whose A^T A is 0 or 1. */
    @ParameterizedTest
    @ValueSource(strings = {"denoise", "inpaint:random:0.5"})
    void followsTheRecursion(String task) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), task);
        int steps = 12;
        double lam = 0.1;
        List<NoiseLevel> levels = new Ddim(0).walk(GaussianBed.SCHEDULE, steps).levels();
        Supplier<Tensor> noise = Start.stepNoise(p);
        double[] z = noise(p).doubles();
        double[] zhat = z;
        for (int i = 0; i < steps; i++) {
            double abar = levels.get(i).abar();
            double a = levels.get(i + 1).abar();
            double v = abar * STD * STD + 1 - abar;
            boolean corrected = i == 0 || i == 3 || i == 6; // of 12 levels, those before 0.6 * 12 = 7.2
            Tensor n = corrected ? noise.get() : null;
            zhat = new double[z.length];
            for (int j = 0; j < z.length; j++) {
                double eps = Math.sqrt(1 - abar) * z[j] / v;
                zhat[j] = Math.sqrt(abar) * STD * STD * z[j] / v;
                boolean hole = p.operator() instanceof Inpaint m && m.mask().get(j / 3) == 0;
                double z0y = hole ? zhat[j] : (p.y().get(j) + lam * zhat[j]) / (1 + lam);
                double zema = a * z0y + (1 - a) * zhat[j];
                z[j] = corrected ? Math.sqrt(a) * zema + (1 - a) * eps + Math.sqrt((1 - a) * a) * n.get(j)
                        : Math.sqrt(a) * zhat[j] + Math.sqrt(1 - a) * eps;
            }
        }
        assertArrayEquals(zhat, dds(steps, 3, 0.6, lam).solve(p, Listener.NONE).decoded().doubles(), 1e-9);
    }

    /** Corrected at every level, kept pixels end within the noise of the measurement, and holes stay distributed as the prior. */
    @Test
    void reachesTheMeasurementOfAMaskedPicture() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "inpaint:random:0.5");
        Tensor x = dds(200, 3, 1, 1e-4).solve(p, Listener.NONE).decoded();
        Tensor mask = ((Inpaint) p.operator()).mask();
        double kept = 0;
        double holes = 0;
        int n = 0;
        for (int i = 0; i < x.size(); i++) {
            boolean hole = mask.get(i / 3) == 0;
            n += hole ? 1 : 0;
            kept += hole ? 0 : Math.pow(x.get(i) - p.y().get(i), 2);
            holes += hole ? x.get(i) * x.get(i) : 0;
        }
        double rms = Math.sqrt(kept / (x.size() - n));
        assertTrue(rms < 2 * p.sigma(), "kept pixels are " + rms + " from the measurement, the noise is " + p.sigma());
        double std = Math.sqrt(holes / n);
        assertEquals(STD, std, 4 * STD / Math.sqrt(2.0 * n), "four standard errors of a standard deviation");
    }

    /** Without corrections it is plain sampling whose last mean is decoded. */
    @Test
    void withoutCorrectionsItIsPlainSampling() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:2");
        List<NoiseLevel> levels = new Ddim(0).walk(GaussianBed.SCHEDULE, 9).levels();
        double[] z = noise(p).doubles();
        double factor = 1;
        for (int i = 0; i < 9; i++) {
            double abar = levels.get(i).abar();
            double a = levels.get(i + 1).abar();
            double v = abar * STD * STD + 1 - abar;
            double mean = Math.sqrt(abar) * STD * STD / v;
            factor *= i == 8 ? mean : Math.sqrt(a) * mean + Math.sqrt((1 - a) * (1 - abar)) / v;
        }
        for (int j = 0; j < z.length; j++) {
            z[j] *= factor;
        }
        assertArrayEquals(z, dds(9, 3, 0, 1e-4).solve(p, Listener.NONE).decoded().doubles(), 1e-9);
    }

    @Test
    void counts() {
        countsWhatRan(dds(10, 3, 0.85, 1e-4), "nfe=10 unet_forwards=10 unet_vjps=0 decodes=4 decode_vjps=0 encodes=3");
        DdsLatent published = (DdsLatent) Solvers.of("dds-latent");
        assertEquals("unet_forwards=400 unet_vjps=0 decodes=58 decode_vjps=0 encodes=57", published.evaluations(2).toString());
    }

    /** Every third level has a residual, and no other level has one, because the others decode nothing. */
    @Test
    void correctedLevelsReportTheResidual() {
        List<Boolean> known = new ArrayList<>();
        dds(8, 3, 0.75, 1e-4).solve(GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4"),
                s -> known.add(!Double.isNaN(s.value(Step.RESIDUAL))));
        assertEquals(List.of(true, false, false, true, false, false, false, false), known);
    }

    @Test
    void endsEarlyWithOneLine() {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "sr:4");
        Halting.stopsAtNaN(dds(6, 2, 1, 1e-4), p, "dds-latent: step 2 of 6 (t=");
        Halting.stopsWhenCancelled(dds(6, 2, 1, 1e-4), p);
        Problem cubic = GaussianBed.problem(new ReferenceDevice(), MixturePrior.normal(0, STD), new NonLinearTest.Cubic(), 7);
        assertEquals("dds-latent: expected a linear operator, got 'cubic'; choose another solver or task",
                assertThrows(IllegalArgumentException.class, () -> dds(6, 2, 1, 1e-4).solve(cubic, Listener.NONE)).getMessage());
    }
}
