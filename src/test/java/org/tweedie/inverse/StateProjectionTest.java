// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.OpCase;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests the projection of gradients onto the singular vectors of a state. */
class StateProjectionTest {
    private static final Shape LATENT = Shape.of(1, 7, 5, 4);

    @Test
    void oneIsTheIdentity() {
        Tensor g = OpCase.random(LATENT, 2);
        assertSame(g, StateProjection.of(OpCase.random(LATENT, 1), 1).project(g));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.3, 0.9, 0.99})
    void itIsAnOrthogonalProjectorOfEachChannel(double variance) {
        StateProjection p = StateProjection.of(OpCase.random(LATENT, 1), variance);
        Tensor g = OpCase.random(LATENT, 2);
        Tensor once = p.project(g);
        assertArrayEquals(once.doubles(), p.project(once).doubles(), 1e-12, "projecting twice is projecting once");
        Tensor h = OpCase.random(LATENT, 3);
        assertEquals(Vectors.dot(once, h), Vectors.dot(g, p.project(h)), 1e-12, "the projector is symmetric");
        assertTrue(Vectors.norm(once) < Vectors.norm(g), "the subspace is smaller than the space");
    }

    /** Of each channel of the state itself the projection keeps the fraction that was asked for. */
    @ParameterizedTest
    @ValueSource(doubles = {0.01, 0.5, 0.9, 0.99})
    void itKeepsTheStateToTheExplainedFraction(double variance) {
        Tensor z = OpCase.random(LATENT, 1);
        Tensor kept = StateProjection.of(z, variance).project(z);
        for (int c = 0; c < LATENT.dim(3); c++) {
            double all = 0;
            double left = 0;
            double lost = 0;
            for (int i = c; i < z.size(); i += LATENT.dim(3)) {
                all += z.get(i) * z.get(i);
                left += kept.get(i) * kept.get(i);
                lost += Math.pow(z.get(i) - kept.get(i), 2);
            }
            assertTrue(left >= variance * all, "channel " + c + ": " + left / all);
            assertEquals(all, left + lost, 1e-12 * all, "what is lost is orthogonal to what is kept");
        }
    }

    /**
     * By hand: the first channel diag(10, 1) has the explained fractions 100/101 and 1, so that 0.99 takes rank 1 and keeps
     * the upper left number of a gradient. The second, [0 2; 1.9 0], has 4/7.61 and 1, so that it keeps both directions.
     */
    @Test
    void theRankIsTheSmallestThatExplainsTheFraction() {
        Tensor z = Tensor.of(Shape.of(1, 2, 2, 2), 10, 0, 0, 2, 0, 1.9, 1, 0);
        Tensor g = Tensor.of(z.shape(), 1, 2, 3, 4, 5, 6, 7, 8.);
        double[] expected = {1, 2, 0, 4, 0, 6, 0, 8};
        assertArrayEquals(expected, StateProjection.of(z, 0.99).project(g).doubles(), 1e-12);
        double[] both = {1, 2, 3, 4, 5, 6, 7, 8};
        assertArrayEquals(both, StateProjection.of(z, 0.995).project(g).doubles(), 1e-12);
        double[] larger = {1, 0, 0, 4, 0, 0, 0, 0}; // of the second channel, the entry at row 0 and column 1
        assertArrayEquals(larger, StateProjection.of(z, 0.5).project(g).doubles(), 1e-12);
    }

    @Test
    void wrongInputsAreNamed() {
        Tensor z = OpCase.random(LATENT, 1);
        assertEquals("state variance: expected a fraction above 0 and at most 1, got 0.0",
                assertThrows(IllegalArgumentException.class, () -> StateProjection.of(z, 0)).getMessage());
        Tensor other = OpCase.random(Shape.of(1, 5, 7, 4), 1);
        String message = assertThrows(IllegalArgumentException.class, () -> StateProjection.of(z, 0.9).project(other))
                .getMessage();
        assertTrue(message.startsWith("state projection: expected a gradient of the state's shape"), message);
    }
}
