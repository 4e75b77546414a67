// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.NoiseSchedule.Betas;
import org.tweedie.diffusion.NoiseSchedule.Prediction;
import org.tweedie.diffusion.NoiseSchedule.Spacing;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Tests the samplers with the prior N(MU, S^2), for which all quantities are known: z at a level is normal with mean
 * sqrt(abar) MU and variance v = abar S^2 + sigma^2, the predicted noise is eps = sigma (z - sqrt(abar) MU) / v, and the
 * probability flow conserves (z - sqrt(abar) MU) / sqrt(v).
 */
class GaussianFlowTest {
    private static final double MU = 0.7;
    private static final double S = 0.5;
    private static final Supplier<Tensor> NONE = () -> {
        throw new AssertionError("a deterministic sampler asked for noise");
    };

    private static NoiseSchedule schedule(Spacing spacing) {
        return new NoiseSchedule(Betas.SCALED_LINEAR, 0.00085, 0.012, 1000, Prediction.EPSILON, Optional.of(spacing), 1, true);
    }

    private static double root(NoiseLevel level) {
        return Math.sqrt(level.abar() * S * S + 1 - level.abar());
    }

    private static Tensor eps(Tensor z, NoiseLevel level) {
        double v = root(level) * root(level);
        double mean = level.sqrtAbar() * MU;
        return Tensor.of(z.shape(), Arrays.stream(z.doubles()).map(x -> level.sigma() * (x - mean) / v).toArray());
    }

    /** Walks from levels(0) to levels(steps). */
    private static Tensor walk(Sampler.Walk walk, Tensor z, int steps, Supplier<Tensor> noise) {
        for (int i = 0; i < steps; i++) {
            z = walk.step(i, z, eps(z, walk.levels().get(i)), noise);
        }
        return z;
    }

    /**
     * Returns the error of a walk after two thirds of its steps: its distance from the exact flow, relative to z's distance
     * from the mean. At that point the levels get closer together with more steps, while the levels next to the picture stay
     * a factor apart, except for Karras' levels.
     */
    private static double error(Sampler sampler, int steps) {
        Sampler.Walk walk = sampler.walk(schedule(Spacing.LINSPACE), steps);
        NoiseLevel from = walk.levels().getFirst();
        NoiseLevel to = walk.levels().get(2 * steps / 3);
        Tensor z = Tensor.of(Shape.of(1), new double[] {from.sqrtAbar() * MU + root(from)});
        double end = walk(walk, z, 2 * steps / 3, NONE).get(0);
        return Math.abs((end - to.sqrtAbar() * MU) / root(to) - 1);
    }

    static Stream<Sampler> deterministic() {
        return Stream.of(new Ddim(0), new Euler(false), new Euler(true), new Dpmpp2m(false), new Dpmpp2m(true));
    }

    @ParameterizedTest
    @MethodSource("deterministic")
    void landsOnTheFlowToItsOrder(Sampler sampler) {
        int order = sampler instanceof Dpmpp2m ? 2 : 1;
        double few = error(sampler, 60);
        double many = error(sampler, 240);
        double measured = Math.log(few / many) / Math.log(4);
        System.out.printf("flow: %-22s error %.1e with 60 steps, %.1e with 240: order %.2f%n", sampler, few, many, measured);
        assertEquals(order, measured, 0.15);
        assertTrue(many < (order == 1 ? 5e-3 : 5e-5), "error with 240 steps: " + many);
    }

    /** The result without noise is the posterior mean of the last level, for every method. */
    @ParameterizedTest
    @MethodSource("deterministic")
    void endsAtTheMean(Sampler sampler) {
        Sampler.Walk walk = sampler.walk(schedule(Spacing.LEADING), 12);
        NoiseLevel last = walk.levels().get(11);
        Tensor z = walk(walk, Tensor.of(Shape.of(2), 0.3, -1.2), 11, NONE);
        double[] end = walk.step(11, z, eps(z, last), NONE).doubles();
        assertEquals(1, walk.levels().getLast().abar());
        for (int j = 0; j < end.length; j++) {
            double gain = S * S * last.sqrtAbar() / (root(last) * root(last));
            assertEquals(MU + gain * (z.get(j) - last.sqrtAbar() * MU), end[j], 1e-13);
        }
    }

    private static Tensor normals(int n, Philox.Stream stream, long seed) {
        float[] out = new float[n];
        new Philox(seed, stream).normals(0, out);
        return Tensor.of(Shape.of(n), out);
    }

    /** With eta = 1 the results have the prior's mean and standard deviation, and each step draws noise once. */
    @Test
    void ancestralSamplingDrawsFromThePrior() {
        int n = 20_000;
        Sampler.Walk walk = new Ddim(1).walk(schedule(Spacing.LEADING), 200);
        long[] drawn = {0};
        Tensor z = walk(walk, normals(n, Philox.Stream.INIT, 3), 200, () -> normals(n, Philox.Stream.STEP, drawn[0]++));
        double mean = Arrays.stream(z.doubles()).average().orElseThrow();
        double std = Math.sqrt(Arrays.stream(z.doubles()).map(x -> (x - mean) * (x - mean)).sum() / n);
        assertEquals(MU, mean, 0.02);
        assertEquals(S, std, 0.02);
        assertEquals(199, drawn[0], "the last step has nothing to add");
        assertThrows(AssertionError.class, () -> walk(new Ddim(0.1).walk(schedule(Spacing.LEADING), 5), z, 5, NONE));
    }

    @Test
    void sameInputsSameBytes() {
        for (Sampler sampler : Stream.concat(deterministic(), Stream.of(new Ddim(1), new Ddim(0.3))).toList()) {
            Tensor z = normals(7, Philox.Stream.INIT, 5);
            Tensor noise = normals(7, Philox.Stream.STEP, 5);
            Sampler.Walk first = sampler.walk(schedule(Spacing.TRAILING), 9);
            Sampler.Walk second = sampler.walk(schedule(Spacing.TRAILING), 9);
            walk(second, normals(7, Philox.Stream.INIT, 6), 4, () -> noise);
            double[] once = walk(first, z, 9, () -> noise).doubles();
            Sampler.Walk third = sampler.walk(schedule(Spacing.TRAILING), 9);
            assertArrayEquals(once, walk(third, z, 9, () -> noise).doubles(), sampler.toString());
            assertArrayEquals(once, walk(first, z, 9, () -> noise).doubles(), sampler + ": a walk begun anew");
            assertArrayEquals(normals(7, Philox.Stream.INIT, 5).floats(), z.floats(), "z is left alone");
        }
    }

    /** A solver may repeat a step, or begin at a middle level, where a multi-step method has no level before. */
    @Test
    void stepsStandAlone() {
        Sampler.Walk walk = new Dpmpp2m(false).walk(schedule(Spacing.LINSPACE), 10);
        Tensor z = Tensor.of(Shape.of(1), 0.9);
        double middle = walk.step(4, z, eps(z, walk.levels().get(4)), NONE).get(0);
        NoiseLevel from = walk.levels().get(4);
        NoiseLevel to = walk.levels().get(5);
        double zbar = (0.9 - from.sigma() * eps(z, from).get(0)) / from.sqrtAbar();
        assertEquals(to.sqrtAbar() * zbar + to.sigma() * eps(z, from).get(0), middle, 1e-13, "a first step is DDIM's");
        Tensor next = Tensor.of(Shape.of(1), middle);
        double[] fifth = walk.step(5, next, eps(next, to), NONE).doubles();
        assertArrayEquals(fifth, walk.step(5, next, eps(next, to), NONE).doubles());
    }

    @Test
    void refusesStepsAndEtaOutOfRange() {
        NoiseSchedule schedule = schedule(Spacing.LEADING);
        for (Sampler sampler : deterministic().toList()) {
            assertThrows(IllegalArgumentException.class, () -> sampler.walk(schedule, 0), sampler.toString());
            assertThrows(IllegalArgumentException.class, () -> sampler.walk(schedule, 1001), sampler.toString());
            assertEquals(2, sampler.walk(schedule, 1).levels().size());
        }
        assertThrows(IllegalArgumentException.class, () -> new Dpmpp2m(false).walk(schedule, 999), "two levels would be one");
        assertEquals(999, new Dpmpp2m(false).walk(schedule, 998).levels().size());
        for (double eta : new double[] {-0.1, 1.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new Ddim(eta));
        }
    }
}
