// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EstimateTest {
    /** With sd = sqrt(n) the half width is the quantile itself; the quantiles are those of printed tables. */
    @ParameterizedTest
    @CsvSource({"2, 0.95, 12.706", "3, 0.95, 4.303", "5, 0.95, 2.776", "10, 0.95, 2.262", "16, 0.95, 2.131", "31, 0.95, 2.042",
        "11, 0.99, 3.169", "11, 0.90, 1.812"})
    void halfWidthIsTheTabulatedQuantile(int n, double level, double t) {
        assertEquals(t, new Estimate(n, 7, Math.sqrt(n)).halfWidth(level), 5e-4);
    }

    /** The distribution of t is elementary for one and two degrees of freedom. */
    @ParameterizedTest
    @CsvSource({"0.5", "1", "4", "50"})
    void pIsTheClosedForm(double t) {
        assertEquals(1 - 2 / Math.PI * Math.atan(t), new Estimate(2, t, Math.sqrt(2)).p(), 1e-12);
        assertEquals(1 - t / Math.sqrt(2 + t * t), new Estimate(3, -t, Math.sqrt(3)).p(), 1e-12);
    }

    /** Student's own example (Biometrika 6, 1908): the additional hours of sleep by one of two drugs, in ten patients. */
    @Test
    void studentsSleepData() {
        Estimate e = Estimate.of(List.of(1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4));
        assertEquals(10, e.n());
        assertEquals(1.58, e.mean(), 1e-12);
        assertEquals(1.229995, e.sd(), 1e-6);
        assertEquals(0.7001142, e.low(), 1e-7);
        assertEquals(2.4598858, e.high(), 1e-7);
        assertEquals(0.002833, e.p(), 5e-7);
    }

    @Test
    void oneNumberHasNoIntervalAndNoTest() {
        Estimate e = Estimate.of(List.of(3.0));
        assertEquals(3, e.mean());
        assertTrue(Double.isNaN(e.sd()) && Double.isNaN(e.low()) && Double.isNaN(e.p()));
    }

    @Test
    void equalNumbersAreTheLimits() {
        assertEquals(1, Estimate.of(List.of(0.0, 0.0, 0.0)).p());
        assertEquals(0, Estimate.of(List.of(0.5, 0.5, 0.5)).p());
        assertEquals(0.5, Estimate.of(List.of(0.5, 0.5, 0.5)).low());
    }
}
