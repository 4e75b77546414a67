// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests least squares on cases worked out by hand. */
class LeastSquaresTest {
    private static final Shape TWO = Shape.of(2);

    private static Tensor v(double... x) {
        return Tensor.of(Shape.of(x.length), x);
    }

    /** min |(1,2,4) - a (1,1,0) - b (0,1,0)|: a = 1, b = 1, and 4 is left. */
    @Test
    void combinesAsTheColumnsSay() {
        LeastSquares s = LeastSquares.of(v(1, 2, 4), List.of(v(1, 1, 0), v(0, 1, 0)), List.of(v(10, 0), v(3, 5)), TWO);
        assertArrayEquals(new double[] {13, 5}, s.d().doubles(), 1e-12);
        assertEquals(4, s.rest(), 1e-12);
        assertEquals(2, s.rank());
    }

    /** Columns that are zero, or that earlier ones already span, are not used, and what belongs to them does not matter. */
    @Test
    void dependentColumnsAreLeftOut() {
        LeastSquares s = LeastSquares.of(v(1, 2, 4), List.of(v(0, 0, 0), v(1, 1, 0), v(2, 2 + 1e-9, 0), v(0, 0, 2)),
                List.of(v(7, 7), v(2, 0), v(1e9, 1e9), v(0, 1)), TWO);
        assertArrayEquals(new double[] {3, 2}, s.d().doubles(), 1e-9); // 1.5 and 2 times
        assertEquals(Math.sqrt(0.5), s.rest(), 1e-12);
        assertEquals(2, s.rank());
    }

    @Test
    void withoutColumnsNothingIsExplained() {
        LeastSquares s = LeastSquares.of(v(3, 4), List.of(), List.of(), TWO);
        assertArrayEquals(new double[] {0, 0}, s.d().doubles());
        assertEquals(5, s.rest(), 1e-15);
        assertEquals(0, s.rank());
    }
}
