// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.inverse.SurrogateGradient.Gradient;
import org.tweedie.inverse.SurrogateGradient.Weight;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests the second term of STSL's loss and its controls, on a prior whose score is not linear. */
class SecondOrderTest {
    private static final Shape IMAGE = Shape.of(1, 8, 8, 3);
    private static final NoiseSchedule SCHEDULE = new NoiseSchedule(NoiseSchedule.Betas.SCALED_LINEAR, 0.00085, 0.012, 1000,
            NoiseSchedule.Prediction.EPSILON, Optional.of(NoiseSchedule.Spacing.LEADING), 1, false);
    private static final NoiseLevel LEVEL = SCHEDULE.level(401);
    private static final Tensor Z = OpCase.random(IMAGE, 1);
    private static final double ETA = 0.3;

    private static Problem problem(String task) {
        MeasurementOperator a = Operators.parse(task, IMAGE, 3);
        MixturePrior prior = new MixturePrior(new double[] {0.4, 0.6}, new double[] {-0.5, 0.5}, new double[] {0.3, 0.2});
        return new Problem(new Prior(new ReferenceDevice(), SCHEDULE, prior, MixturePrior.PIXELS, IMAGE), a,
                OpCase.random(a.outShape(IMAGE), 2), 0.05, 7);
    }

    private static SurrogateGradient gradient(Problem p, Run run, SecondOrder term, double eta, Weight weight,
                                              Surrogate.Norm norm, Surrogate.Probe probe) {
        Surrogate loss = new Surrogate(p.prior().denoiser(), p.prior().codec(), p.operator(), norm, probe);
        return new SurrogateGradient(p, run, loss, term, eta, weight, 1);
    }

    private static Gradient at(String task, SecondOrder term, double eta, Weight weight) {
        Problem p = problem(task);
        return gradient(p, new Run(p.prior(), Listener.NONE), term, eta, weight, Surrogate.Norm.SUM, Surrogate.Probe.EXACT)
                .at(Z, LEVEL, true);
    }

    /** Returns the second term's part of the gradient, with its weight. */
    private static Tensor second(String task, SecondOrder term, double eta, Weight weight) {
        return Vectors.minus(at(task, term, eta, weight).total(), at(task, SecondOrder.NONE, 0, weight).total(), 1);
    }

    private static void assertSame(Tensor expected, Tensor got) {
        assertTrue(Vectors.norm(expected) > 0, "the comparison is of something");
        assertArrayEquals(expected.doubles(), got.doubles(), 1e-9 * Vectors.norm(expected));
    }

    @ParameterizedTest
    @EnumSource(Weight.class)
    void flippedAndTraceCancel(Weight weight) {
        assertSame(second("sr:4", SecondOrder.TRACE, ETA, weight),
                Vectors.scale(-1, second("sr:4", SecondOrder.FLIPPED, ETA, weight)));
    }

    @Test
    void covarianceIsTheTraceTimesItsFactor() {
        double factor = Math.pow(LEVEL.sigma(), 4) / LEVEL.abar();
        assertSame(Vectors.scale(factor, second("sr:4", SecondOrder.TRACE, ETA, Weight.PAPER)),
                second("sr:4", SecondOrder.COVARIANCE, ETA, Weight.PAPER));
        assertSame(second("sr:4", SecondOrder.TRACE, ETA, Weight.NORMALISED),
                second("sr:4", SecondOrder.COVARIANCE, ETA, Weight.NORMALISED));
    }

    /** With A and D the identity the measurement sees all of the covariance, and its weight is not divided by d. */
    @Test
    void measuredIsTheCovarianceWhereEverythingIsMeasured() {
        assertSame(second("denoise", SecondOrder.COVARIANCE, ETA * IMAGE.size(), Weight.PAPER),
                second("denoise", SecondOrder.MEASURED, ETA, Weight.PAPER));
    }

    /** Pixels in holes are independent of the others under this prior, so the measured term does not move them. */
    @Test
    void measuredDoesNotMoveWhatIsNotMeasured() {
        Tensor g = second("inpaint:random:0.5", SecondOrder.MEASURED, 1, Weight.PAPER);
        Tensor mask = problem("inpaint:random:0.5").operator().tensors().get("mask");
        double kept = 0;
        for (int i = 0; i < g.size(); i++) {
            if (mask.get(i / 3) == 0) {
                assertEquals(0, g.get(i), 1e-9, "a hole");
            } else {
                kept += Math.abs(g.get(i));
            }
        }
        assertTrue(kept > 1e-3, "kept pixels are moved");
    }

    @ParameterizedTest
    @EnumSource(value = SecondOrder.class, names = {"TRACE", "COVARIANCE", "MEASURED", "FLIPPED", "RANDOM", "SHRINK"})
    void normalisedLengthIsEtaTimesTheDataTerms(SecondOrder term) {
        double data = Vectors.norm(at("sr:4", SecondOrder.NONE, 0, Weight.NORMALISED).total());
        assertEquals(ETA * data, Vectors.norm(second("sr:4", term, ETA, Weight.NORMALISED)), 1e-9 * data);
    }

    @Test
    void shrinkPullsTowardsZeroAndRandomElsewhere() {
        Tensor shrink = second("sr:4", SecondOrder.SHRINK, ETA, Weight.PAPER);
        assertSame(Vectors.scale(Vectors.norm(shrink) / Vectors.norm(Z), Z), shrink);
        Problem p = problem("sr:4");
        SurrogateGradient random = gradient(p, new Run(p.prior(), Listener.NONE), SecondOrder.RANDOM, ETA, Weight.PAPER,
                Surrogate.Norm.SUM, Surrogate.Probe.EXACT);
        Tensor once = random.at(Z, LEVEL, true).total();
        assertTrue(Vectors.norm(Vectors.minus(once, random.at(Z, LEVEL, false).total(), 1)) > 0.1 * Vectors.norm(once) * ETA,
                "each step has another direction");
    }

    /** The first step of a level and the others have the same weight, so with the same probe they have the same gradient. */
    @ParameterizedTest
    @EnumSource(value = SecondOrder.class, names = {"TRACE", "COVARIANCE", "MEASURED", "FLIPPED"})
    void theWeightHoldsForTheLevel(SecondOrder term) {
        Problem p = problem("sr:4");
        Run run = new Run(p.prior(), Listener.NONE);
        SurrogateGradient apart = gradient(p, run, term, ETA, Weight.PAPER, Surrogate.Norm.SUM, Surrogate.Probe.EXACT);
        apart.at(Z, LEVEL, true);
        Tensor second = apart.at(Z, LEVEL, true).total(); // the second probe
        SurrogateGradient fused = gradient(p, run, term, ETA, Weight.PAPER, Surrogate.Norm.SUM, Surrogate.Probe.EXACT);
        fused.at(Z, LEVEL, true);
        assertSame(second, fused.at(Z, LEVEL, false).total());
    }

    @ParameterizedTest
    @EnumSource(SecondOrder.class)
    void evaluationsAreThoseThatRan(SecondOrder term) {
        Problem p = problem("sr:4");
        Run run = new Run(p.prior(), Listener.NONE);
        SurrogateGradient g = gradient(p, run, term, ETA, Weight.NORMALISED, Surrogate.Norm.NORM,
                Surrogate.Probe.SCALED);
        for (int k = 0; k < 3; k++) {
            g.at(Z, LEVEL, k == 0);
        }
        Nfe ran = run.counts().evaluations();
        assertEquals(SurrogateGradient.evaluations(term, ETA, 3, 1), ran);
        assertEquals(term.probes() ? 3 + 3 + (term == SecondOrder.MEASURED ? 3 : 0) : 3, ran.unetForwards());
    }
}
