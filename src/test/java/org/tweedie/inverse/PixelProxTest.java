// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.measure.Inpaint;
import org.tweedie.measure.LinearOperator;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.DirectionCheck;

/** Tests the proximal step against closed forms, and against the equation that its result solves. */
class PixelProxTest {
    private static final Shape IMAGE = Shape.of(1, 8, 8, 3);
    private static final Tensor X0 = Vectors.scale(0.6, OpCase.random(IMAGE, 5));

    private static Problem problem(MeasurementOperator a) {
        NoiseSchedule schedule = new NoiseSchedule(NoiseSchedule.Betas.SCALED_LINEAR, 0.00085, 0.012, 1000,
                NoiseSchedule.Prediction.EPSILON, Optional.empty(), 1, false);
        Prior prior = new Prior(new ReferenceDevice(), schedule, MixturePrior.normal(0, 1), MixturePrior.PIXELS, IMAGE);
        return new Problem(prior, a, OpCase.random(a.outShape(IMAGE), 6), 0.05, 7);
    }

    private static Problem problem(String task) {
        return problem(Operators.parse(task, IMAGE, 3));
    }

    private static Tensor solve(Problem p, double lam, int iterations) {
        return new PixelProx(new PixelOperator(p, new Run(p.prior(), Listener.NONE)), lam, iterations, "test").of(X0);
    }

    private static Tensor applied(Tensor in, BiFunction<Tracer, Value, Value> body) {
        Tracer t = new Tracer("applied");
        t.output("out", body.apply(t, t.input("in", Type.real(in.shape()))));
        return DirectionCheck.run(t.finish(), Map.of("in", in)).get("out");
    }

    /** Returns A^T (y - A x) + lam (x0 - x), which is zero at the solution. */
    private static Tensor slope(Problem p, double lam, Tensor x) {
        LinearOperator a = (LinearOperator) p.operator();
        Tensor r = Vectors.minus(p.y(), applied(x, a::apply), 1);
        Tensor back = applied(r, (t, v) -> a.adjoint(t, v, IMAGE));
        return Vectors.minus(back, Vectors.minus(X0, x, 1), -lam);
    }

    /** For A = I the solution is (y + lam x0) / (1 + lam), and one iteration finds it. */
    @Test
    void ofTheIdentity() {
        Problem p = problem("denoise");
        for (double lam : new double[] {0, 0.3, 1}) {
            double[] expected = Vectors.mix(1 / (1 + lam), p.y(), lam / (1 + lam), X0).doubles();
            assertArrayEquals(expected, solve(p, lam, 1).doubles(), 1e-12);
        }
    }

    /** A mask leaves the holes as they are in x0; the other pixels are as for the identity. */
    @Test
    void ofAMask() {
        Problem p = problem("inpaint:random:0.5");
        Tensor mask = ((Inpaint) p.operator()).mask();
        Tensor x = solve(p, 0.5, 1);
        int holes = 0;
        for (int i = 0; i < x.size(); i++) {
            boolean hole = mask.get(i / 3) == 0;
            holes += hole ? 1 : 0;
            assertEquals(hole ? X0.get(i) : (p.y().get(i) + 0.5 * X0.get(i)) / 1.5, x.get(i), 1e-12);
        }
        assertTrue(holes > 0 && holes < x.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sr:2", "sr:4", "blur:1", "motion:9"})
    void solvesTheNormalEquations(String task) {
        Problem p = problem(task);
        for (double lam : new double[] {0.01, 1}) {
            double start = Vectors.norm(slope(p, lam, X0));
            assertTrue(start > 0.1, "x0 is not the solution");
            assertEquals(0, Vectors.norm(slope(p, lam, solve(p, lam, 80))), 1e-8 * start);
        }
    }

    /** The first iteration is the exact minimum along the slope at x0. */
    @ParameterizedTest
    @ValueSource(strings = {"sr:2", "blur:1", "motion:9"})
    void oneIterationIsTheSteepestDescent(String task) {
        Problem p = problem(task);
        double lam = 1e-4;
        Tensor s = slope(p, lam, X0);
        Tensor as = applied(s, p.operator()::apply);
        double length = Vectors.dot(s, s) / (Vectors.dot(as, as) + lam * Vectors.dot(s, s));
        assertArrayEquals(Vectors.minus(X0, s, -length).doubles(), solve(p, lam, 1).doubles(), 1e-12);
    }

    /** With each iteration the objective gets smaller, so the number of iterations matters. */
    @Test
    void eachIterationLowersTheObjective() {
        Problem p = problem("blur:1");
        double last = Double.POSITIVE_INFINITY;
        for (int k = 0; k <= 6; k++) {
            Tensor x = solve(p, 1e-4, k);
            Tensor r = Vectors.minus(p.y(), applied(x, p.operator()::apply), 1);
            Tensor d = Vectors.minus(x, X0, 1);
            double objective = Vectors.dot(r, r) + 1e-4 * Vectors.dot(d, d);
            assertTrue(objective < 0.99 * last, k + " iterations: " + objective + " after " + last);
            last = objective;
        }
    }

    @Test
    void aNonLinearOperatorIsRefused() {
        MeasurementOperator square = new MeasurementOperator() {
            @Override
            public String spec() {
                return "square";
            }

            @Override
            public Shape outShape(Shape image) {
                return image;
            }

            @Override
            public Value apply(Tracer t, Value x) {
                return t.mul(x, x);
            }

            @Override
            public Tensor start(Tensor y) {
                return y;
            }
        };
        assertEquals("test: expected a linear operator, got 'square'; choose another solver or task",
                assertThrows(IllegalArgumentException.class, () -> solve(problem(square), 1, 1)).getMessage());
    }
}
