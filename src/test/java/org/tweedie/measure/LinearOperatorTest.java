// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests that every operator must pass, on a batch of pictures that are not square. */
class LinearOperatorTest {
    private static final Shape IMAGE = Shape.of(2, 24, 32, 3);

    static Stream<LinearOperator> all() {
        return Operators.examples().stream().map(task -> (LinearOperator) Operators.parse(task, IMAGE, 5));
    }

    @ParameterizedTest
    @MethodSource("all")
    void isLinear(LinearOperator a) {
        Tensor x = Run.noise(IMAGE, 1);
        Tensor y = Run.noise(IMAGE, 2);
        float[] mixed = x.floats();
        for (int i = 0; i < mixed.length; i++) {
            mixed[i] = 0.5f * mixed[i] - 2 * y.floats()[i];
        }
        double[] ax = Run.apply(a, x).doubles();
        double[] ay = Run.apply(a, y).doubles();
        double[] both = Run.apply(a, Tensor.of(IMAGE, mixed)).doubles();
        for (int i = 0; i < both.length; i++) {
            assertEquals(0.5 * ax[i] - 2 * ay[i], both[i], 1e-6);
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void theAdjointIsTheAdjoint(LinearOperator a) {
        Tensor x = Run.noise(IMAGE, 1);
        Tensor y = Run.noise(a.outShape(IMAGE), 3);
        Tensor aty = Run.adjoint(a, y, IMAGE);
        double left = Run.dot(Run.apply(a, x), y);
        assertEquals(IMAGE, aty.shape());
        assertEquals(left, Run.dot(x, aty), 1e-9 * Math.sqrt(Run.dot(x, x) * Run.dot(aty, aty)));
        assertTrue(Run.distance(aty, Run.pullBack(a, y, IMAGE)) < 1e-12, "the adjoint is the pull-back");
    }

    @ParameterizedTest
    @MethodSource("all")
    void shapesAreAsSaid(LinearOperator a) {
        Shape y = a.outShape(IMAGE);
        assertEquals(y, Run.apply(a, Run.noise(IMAGE, 1)).shape());
        assertEquals(IMAGE, a.start(Run.noise(y, 1)).shape());
        assertEquals(IMAGE, a.extend(Run.noise(y, 1)).shape());
        assertEquals(IMAGE, Operators.imageShape(a.spec(), y));
        assertTrue(a.measurements(IMAGE) > 0 && a.measurements(IMAGE) <= y.size());
        assertEquals(a.measurements(IMAGE), 2 * a.measurements(IMAGE.with(0, 1)));
    }

    @ParameterizedTest
    @MethodSource("all")
    void eachPictureOfABatchIsOnItsOwn(LinearOperator a) {
        Tensor x = Run.noise(IMAGE, 1);
        float[] all = x.floats();
        int n = all.length / 2;
        Tensor second = Tensor.of(IMAGE.with(0, 1), java.util.Arrays.copyOfRange(all, n, 2 * n));
        double[] both = Run.apply(a, x).doubles();
        double[] one = Run.apply(a, second).doubles();
        assertArrayEquals(one, java.util.Arrays.copyOfRange(both, one.length, both.length));
        Tensor y = Run.noise(a.outShape(IMAGE), 1);
        float[] ys = y.floats();
        Tensor y2 = Tensor.of(y.shape().with(0, 1), java.util.Arrays.copyOfRange(ys, ys.length / 2, ys.length));
        assertArrayEquals(a.start(y2).floats(), java.util.Arrays.copyOfRange(a.start(y).floats(), n, 2 * n));
        assertArrayEquals(a.extend(y2).floats(), java.util.Arrays.copyOfRange(a.extend(y).floats(), n, 2 * n));
    }

    /** A grey picture keeps its brightness through A and back. */
    @ParameterizedTest
    @MethodSource("all")
    void keepsBrightness(LinearOperator a) {
        float[] grey = new float[(int) IMAGE.size()];
        java.util.Arrays.fill(grey, 0.7f);
        Tensor y = Run.apply(a, Tensor.of(IMAGE, grey));
        for (float v : a.start(y).floats()) {
            assertEquals(0.7, v, 1e-5);
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void theSameWordsAndSeedMakeTheSameOperator(LinearOperator a) {
        LinearOperator b = (LinearOperator) Operators.parse(a.spec(), IMAGE, 5);
        assertEquals(a.spec(), b.spec());
        Tensor x = Run.noise(IMAGE, 1);
        assertArrayEquals(Run.apply(a, x).doubles(), Run.apply(b, x).doubles());
        if (a.tensors().isEmpty()) {
            return;
        }
        LinearOperator c = (LinearOperator) Operators.parse(a.spec(), IMAGE, 6);
        assertTrue(Run.distance(Run.apply(a, x), Run.apply(c, x)) > 0.05, "another seed, another operator");
        LinearOperator stored = (LinearOperator) Operators.parse(a.spec(), IMAGE, 6, a.tensors());
        assertArrayEquals(Run.apply(a, x).doubles(), Run.apply(stored, x).doubles(), "what was stored comes first");
    }

    /**
     * Correcting a picture repeatedly by extended residuals converges to the measurement, and no correction increases the
     * residual.
     */
    @ParameterizedTest
    @MethodSource("all")
    void extendedResidualsShrink(LinearOperator a) {
        Tensor y = Run.apply(a, Run.noise(IMAGE, 1));
        float[] x = new float[(int) IMAGE.size()];
        double before = Math.sqrt(Run.dot(y, y));
        double first = before;
        for (int k = 0; k < 6; k++) {
            Tensor r = Run.residual(a, y, Tensor.of(IMAGE, x));
            double norm = Math.sqrt(Run.dot(r, r));
            assertTrue(norm <= before * (1 + 1e-6), "step " + k + ": " + before + " to " + norm);
            before = norm;
            float[] d = a.extend(r).floats();
            float[] next = x.clone();
            for (int i = 0; i < next.length; i++) {
                next[i] += d[i];
            }
            x = next;
        }
        assertTrue(before < 0.7 * first, "from " + first + " to " + before);
    }
}
