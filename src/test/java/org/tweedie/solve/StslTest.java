// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.DirectionCheck;
import org.tweedie.weights.Json;

/** STSL on a Gaussian prior over pixels, where everything is known. */
class StslTest {
    private static final Shape IMAGE = Shape.of(1, 8, 8, 3);
    private static final NoiseSchedule SCHEDULE = schedule();

    static NoiseSchedule schedule() {
        JsonObject o = new JsonObject();
        o.addProperty("beta_start", 0.00085);
        o.addProperty("beta_end", 0.012);
        o.addProperty("beta_schedule", "scaled_linear");
        o.addProperty("steps_offset", 1);
        o.addProperty("set_alpha_to_one", false);
        return new NoiseSchedule(new Json("test", o));
    }

    private static Problem problem(Denoiser prior, String task) {
        MeasurementOperator a = Operators.parse(task, IMAGE, 3);
        Tracer t = new Tracer("measure");
        t.output("y", a.apply(t, t.input("x", Type.real(IMAGE))));
        Tensor x = Norms.minus(OpCase.random(IMAGE, 5), OpCase.random(IMAGE, 5), 0.4);
        Tensor y = Norms.minus(DirectionCheck.run(t.finish(), Map.of("x", x)).get("y"), OpCase.random(a.outShape(IMAGE), 6), 0.05);
        return new Problem(new ReferenceDevice(), SCHEDULE, prior, MixturePrior.PIXELS, a, y, IMAGE, 0.05, 7);
    }

    private static Stsl stsl(int steps, int inner, double eta, double lambda, StepSize.Rule rule, Start.Kind init) {
        return new Stsl(new Stsl.Options(steps, inner, eta, lambda, 0.3, Surrogate.Norm.NORM, Surrogate.Probe.UNIT, Stsl.TraceWeight.NORMALISED, rule, init, false));
    }

    /** Whichever program there is no memory for, those compiled before it are closed. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
    void aProgramThatDoesNotCompileLeavesNoneOpen(int failing) {
        Problem p = problem(MixturePrior.normal(0, 0.5), "sr:2");
        Scarce device = new Scarce(failing);
        Problem scarce = new Problem(device, p.schedule(), p.denoiser(), p.codec(), p.operator(), p.y(), p.image(), p.sigma(), p.seed());
        assertThrows(IllegalStateException.class, () -> stsl(2, 1, 0.1, 1, StepSize.Rule.CONSTANT, Start.Kind.NOISE).solve(scarce, s -> { }));
        assertEquals(0, device.open);
    }

    /** The reference device, with memory for so many programs in all. */
    private static final class Scarce implements Device {
        private final Device device = new ReferenceDevice();
        private int left;
        private int open;

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
        Solver.Result r = stsl(10, 0, 0.02, 1, StepSize.Rule.ADAPTIVE, Start.Kind.NOISE).solve(p, s -> {});
        NfeLedger n = new NfeLedger();
        Tensor z = Start.of(p, Start.Kind.NOISE, 10, n);
        try (Sampling s = new Sampling(p)) {
            for (NoiseLevel l : SCHEDULE.levels(10)) {
                z = s.ddim(z, l, SCHEDULE.after(l, 10), n);
            }
        }
        assertArrayEquals(z.doubles(), r.decoded().doubles());
        Solver.Result still = stsl(10, 3, 0, 0, StepSize.Rule.CONSTANT, Start.Kind.NOISE).solve(p, s -> {});
        assertArrayEquals(z.doubles(), still.decoded().doubles(), "lambda = 0 and eta = 0 must not move z");
    }

    @Test
    void inversionAndSamplingUndoEachOther() {
        Problem p = problem(MixturePrior.normal(0.1, 0.5), "denoise");
        double gap50 = roundTrip(p, 50);
        double gap200 = roundTrip(p, 200);
        assertTrue(gap200 < gap50 / 2.5 && gap200 < 0.05, "round trip errors " + gap50 + " (50 steps) and " + gap200 + " (200 steps)");
    }

    private static double roundTrip(Problem p, int steps) {
        NfeLedger n = new NfeLedger();
        Tensor z = Start.of(p, Start.Kind.DDIM, steps, n);
        try (Sampling s = new Sampling(p)) {
            for (NoiseLevel l : SCHEDULE.levels(steps)) {
                z = s.ddim(z, l, SCHEDULE.after(l, steps), n);
            }
        }
        return Norms.norm(Norms.minus(z, p.y(), 1)) / Norms.norm(p.y());
    }

    @Test
    void residualReachesTheNoiseLevel() {
        for (String task : List.of("denoise", "sr:4", "inpaint:random:0.5", "blur:1")) {
            for (double eta : new double[] {0, 0.02}) {
                Problem p = problem(MixturePrior.normal(0, 0.6), task);
                Solver.Result r = stsl(20, 5, eta, 1, StepSize.Rule.ADAPTIVE, Start.Kind.DDIM).solve(p, s -> {});
                assertTrue(r.residual() < 1.5, task + " eta=" + eta + ": residual " + r.residual() + " times the noise level");
            }
        }
    }

    @Test
    void countsAreWhatRan() {
        Problem p = problem(MixturePrior.normal(0, 0.6), "sr:4");
        List<Step> first = new ArrayList<>();
        NfeLedger a = stsl(6, 2, 0, 0.01, StepSize.Rule.CONSTANT, Start.Kind.DDIM).solve(p, first::add).counts();
        assertEquals(12, first.size());
        assertEquals("nfe=12 unet_forwards=24 unet_vjps=12 decodes=13 decode_vjps=12 encodes=1", a.toString());
        NfeLedger b = stsl(6, 2, 0.02, 0.01, StepSize.Rule.CONSTANT, Start.Kind.DDIM).solve(p, s -> {}).counts();
        assertEquals("nfe=12 unet_forwards=36 unet_vjps=36 decodes=13 decode_vjps=12 encodes=1", b.toString(),
                "two forwards per inner step; four pull-backs in the first of a level, two in the others");
    }

    @Test
    void sameSeedSameBytes() {
        Problem p = problem(new MixturePrior(new double[] {0.4, 0.6}, new double[] {-0.5, 0.5}, new double[] {0.3, 0.2}), "sr:4");
        Stsl s = stsl(5, 2, 0.02, 0.5, StepSize.Rule.ADAPTIVE, Start.Kind.QSAMPLE);
        double[] once = s.solve(p, x -> {}).image().doubles();
        assertArrayEquals(once, s.solve(p, x -> {}).image().doubles());
        Problem other = new Problem(p.device(), p.schedule(), p.denoiser(), p.codec(), p.operator(), p.y(), p.image(), p.sigma(), 8);
        assertTrue(!java.util.Arrays.equals(once, s.solve(other, x -> {}).image().doubles()), "another seed must change the result");
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
        Solver.NotFinite e = assertThrows(Solver.NotFinite.class,
                () -> stsl(5, 2, 0, 1, StepSize.Rule.ADAPTIVE, Start.Kind.NOISE).solve(problem(broken, "sr:4"), s -> {}));
        assertTrue(e.getMessage().contains("step 1 of 5 (t=801), inner 1: residual"), e.getMessage());
    }
}
