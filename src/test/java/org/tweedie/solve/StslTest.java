// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tweedie.solve.GaussianBed.SCHEDULE;
import static org.tweedie.solve.GaussianBed.problem;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.diffusion.Step;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.SecondOrder;
import org.tweedie.inverse.Start;
import org.tweedie.inverse.StepSize;
import org.tweedie.inverse.Surrogate;
import org.tweedie.inverse.SurrogateGradient;
import org.tweedie.inverse.Vectors;
import org.tweedie.measure.Operators;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests STSL with a Gaussian prior over pixels, for which all quantities are known. */
class StslTest {
    private static Stsl stsl(int steps, int inner, double eta, double lambda, StepSize.Rule rule, Start init) {
        return new Stsl(steps, inner, eta, lambda, 0.3, Surrogate.Norm.NORM, Surrogate.Probe.UNIT, SecondOrder.TRACE,
                SurrogateGradient.Weight.NORMALISED, rule, init, new Ddim(0), Stsl.Order.BEFORE, PixelConsistency.NONE);
    }

    /** If memory runs out for any of the programs, those compiled before it are closed. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void aProgramThatDoesNotCompileLeavesNoneOpen(int failing) {
        Scarce device = new Scarce(failing);
        Problem p = problem(device, MixturePrior.normal(0, 0.5), Operators.parse("sr:2", GaussianBed.IMAGE, 3), 7);
        try (Prior prior = p.prior()) {
            assertThrows(IllegalStateException.class, () -> stsl(2, 2, 0.1, 1, StepSize.Rule.CONSTANT, Start.NOISE)
                    .solve(p, Listener.NONE));
            assertEquals(failing, device.open);
        }
        assertEquals(0, device.open);
    }

    /** The reference device with memory for a limited number of programs. */
    private static final class Scarce implements Device {
        private final Device device = new ReferenceDevice();
        private int left;
        private int open;
        private int runs;

        Scarce(int left) {
            this.left = left;
        }

        @Override
        public String name() {
            return device.name();
        }

        @Override
        public String description() {
            return device.description();
        }

        @Override
        public Executable compile(Program program) {
            if (left-- == 0) {
                throw new IllegalStateException("no memory for " + program.name());
            }
            open++;
            Executable e = device.compile(program);
            return new Executable() {
                @Override
                public Program program() {
                    return e.program();
                }

                @Override
                public Map<String, Tensor> run(Map<String, Tensor> inputs) {
                    runs++;
                    return e.run(inputs);
                }

                @Override
                public long arenaBytes() {
                    return e.arenaBytes();
                }

                @Override
                public void close() {
                    open--;
                    e.close();
                }
            };
        }

        @Override
        public long liveBytes() {
            return device.liveBytes();
        }

        @Override
        public void close() {
            device.close();
        }
    }

    @Test
    void withoutGradientStepsItIsDdim() {
        Problem p = problem(MixturePrior.normal(0.1, 0.5), "sr:4");
        Restoration r = stsl(10, 0, 0.02, 1, StepSize.Rule.ADAPTIVE, Start.NOISE).solve(p, Listener.NONE);
        Tensor z = descended(p, Start.NOISE, 10);
        assertArrayEquals(z.doubles(), r.decoded().doubles());
        Restoration still = stsl(10, 3, 0, 0, StepSize.Rule.CONSTANT, Start.NOISE).solve(p, Listener.NONE);
        assertArrayEquals(z.doubles(), still.decoded().doubles(), "lambda = 0 and eta = 0 must not move z");
    }

    /** With one first-order step whose result is added after the sampler's step, STSL is latent DPS. */
    @Test
    void oneStepAfterTheSamplersIsLdps() {
        Problem p = problem(MixturePrior.normal(0.1, 0.5), "sr:4");
        Stsl after = new Stsl(9, 1, 0, 0.7, 0.3, Surrogate.Norm.NORM, Surrogate.Probe.UNIT, SecondOrder.TRACE,
                SurrogateGradient.Weight.PAPER, StepSize.Rule.CONSTANT, Start.NOISE, new Ddim(1), Stsl.Order.AFTER,
                PixelConsistency.NONE);
        Restoration ldps = new Ldps(9, 0.7, new Ddim(1), Start.NOISE, PixelConsistency.NONE).solve(p, Listener.NONE);
        assertArrayEquals(ldps.image().doubles(), after.solve(p, Listener.NONE).image().doubles(), 1e-12);
    }

    /** Inversion with fresh noise keeps the variance that the forward process gives, and forgets part of the picture. */
    @Test
    void noisyInversionKeepsTheVariance() {
        Problem p = problem(MixturePrior.normal(0, 0.6), "denoise");
        Sampler.Walk walk = new Ddim(0).walk(SCHEDULE, 100);
        Run run = new Run(p.prior(), Listener.NONE);
        Tensor plain = Start.DDIM.at(walk, p, run);
        Tensor noisy = Start.DDIM_NOISE.at(walk, p, run);
        double d = noisy.size(); // 192 values: the norm of N(0,I) is within 4 standard errors, 4 / sqrt(2 d), of sqrt(d)
        assertEquals(1, Vectors.norm(noisy) / Math.sqrt(d), 4 / Math.sqrt(2 * d));
        double correlation = Vectors.dot(plain, noisy) / Vectors.norm(plain) / Vectors.norm(noisy);
        assertTrue(correlation > -0.3 && correlation < 0.9, "correlation " + correlation);
        assertEquals(Start.DDIM_NOISE.evaluations(100, 1), Start.DDIM.evaluations(100, 1));
        assertEquals(2 * 100, run.counts().evaluations().unetForwards());
    }

    @Test
    void inversionAndSamplingUndoEachOther() {
        Problem p = problem(MixturePrior.normal(0.1, 0.5), "denoise");
        double gap50 = roundTrip(p, 50);
        double gap200 = roundTrip(p, 200);
        assertTrue(gap200 < gap50 / 2.5 && gap200 < 0.05, "round trip errors " + gap50 + " (50 steps) and " + gap200
                + " (200 steps)");
    }

    private static double roundTrip(Problem p, int steps) {
        return Vectors.norm(Vectors.minus(descended(p, Start.DDIM, steps), p.y(), 1)) / Vectors.norm(p.y());
    }

    /** Goes from a start through all levels by DDIM alone. */
    private static Tensor descended(Problem p, Start start, int steps) {
        Run run = new Run(p.prior(), Listener.NONE);
        Sampler.Walk walk = new Ddim(0).walk(SCHEDULE, steps);
        Tensor z = start.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            z = walk.step(i, z, run.eps(z, walk.levels().get(i)), null);
        }
        return z;
    }

    @Test
    void residualReachesTheNoiseLevel() {
        for (String task : List.of("denoise", "sr:4", "inpaint:random:0.5", "blur:1")) {
            for (double eta : new double[] {0, 0.02}) {
                Problem p = problem(MixturePrior.normal(0, 0.6), task);
                Restoration r = stsl(20, 5, eta, 1, StepSize.Rule.ADAPTIVE, Start.DDIM).solve(p, Listener.NONE);
                assertTrue(r.residual() < 1.5, task + " eta=" + eta + ": residual " + r.residual() + " times the noise level");
            }
        }
    }

    @Test
    void countsAreWhatRan() {
        Problem p = problem(MixturePrior.normal(0, 0.6), "sr:4");
        List<Step> first = new ArrayList<>();
        String a = stsl(6, 2, 0, 0.01, StepSize.Rule.CONSTANT, Start.DDIM).solve(p, first::add).counts().toString();
        assertEquals(12, first.size());
        assertEquals("nfe=12 unet_forwards=24 unet_vjps=12 decodes=13 decode_vjps=12 encodes=1", a);
        String b = stsl(6, 2, 0.02, 0.01, StepSize.Rule.CONSTANT, Start.DDIM).solve(p, Listener.NONE).counts().toString();
        assertEquals("nfe=12 unet_forwards=36 unet_vjps=36 decodes=13 decode_vjps=12 encodes=1", b,
                "two forwards per inner step; four pull-backs in the first of a level, two in the others");
    }

    @Test
    void sameSeedSameBytes() {
        Problem p = problem(new MixturePrior(new double[] {0.4, 0.6}, new double[] {-0.5, 0.5}, new double[] {0.3, 0.2}), "sr:4");
        Stsl s = stsl(5, 2, 0.02, 0.5, StepSize.Rule.ADAPTIVE, Start.QSAMPLE);
        double[] once = s.solve(p, Listener.NONE).image().doubles();
        assertArrayEquals(once, s.solve(p, Listener.NONE).image().doubles());
        Problem other = new Problem(p.prior(), p.operator(), p.y(), p.sigma(), 8);
        assertTrue(!java.util.Arrays.equals(once, s.solve(other, Listener.NONE).image().doubles()),
                "another seed must change the result");
    }

    @Test
    void anInfiniteLatentStopsTheRunByName() {
        Denoiser broken = new Denoiser() {
            @Override
            public Value eps(Tracer t, Value z, NoiseLevel.Traced level) {
                return t.div(z, t.constant(0.0));
            }

            @Override
            public int evaluations() {
                return 1;
            }
        };
        Finite.NotFinite e = assertThrows(Finite.NotFinite.class,
                () -> stsl(5, 2, 0, 1, StepSize.Rule.ADAPTIVE, Start.NOISE).solve(problem(broken, "sr:4"), Listener.NONE));
        assertTrue(e.getMessage().contains("step 1 of 5 (t=801), inner 1: residual"), e.getMessage());
    }

    /**
     * A run that is cancelled stops before its next evaluation; the prior then keeps the programs that it had compiled, and
     * frees them when it is closed.
     */
    @Test
    void cancellingStopsBeforeTheNextEvaluation() {
        Scarce device = new Scarce(100);
        Problem p = problem(device, MixturePrior.normal(0, 0.5), Operators.parse("sr:2", GaussianBed.IMAGE, 3), 7);
        for (int after : new int[] {0, 1, 2, 7}) {
            int[] steps = {0};
            int before = device.runs;
            Listener l = new Listener() {
                @Override
                public void step(Step s) {
                    steps[0]++;
                }

                @Override
                public boolean cancelled() {
                    return device.runs - before >= after;
                }
            };
            assertThrows(CancellationException.class, () -> stsl(5, 2, 0.02, 1, StepSize.Rule.ADAPTIVE, Start.DDIM).solve(p, l));
            assertEquals(after, device.runs - before);
        }
        p.prior().close();
        assertEquals(0, device.open);
    }

    /** Each program is compiled once for all pictures, seeds and options that share it. */
    @Test
    void programsAreCompiledOncePerPrior() {
        Problem p = problem(MixturePrior.normal(0, 0.6), "sr:4");
        Stsl s = stsl(3, 2, 0.02, 1, StepSize.Rule.ADAPTIVE, Start.DDIM);
        s.solve(p, Listener.NONE);
        assertEquals(6, p.prior().compilations(), "encode, eps, both gradients, decode, residual");
        s.solve(new Problem(p.prior(), p.operator(), Vectors.scale(0.5, p.y()), p.sigma(), 8), Listener.NONE);
        assertEquals(6, p.prior().compilations());
        p.prior().release(p.operator());
        s.solve(p, Listener.NONE);
        assertEquals(9, p.prior().compilations(), "the operator's three programs are compiled again after their release");
    }
}
