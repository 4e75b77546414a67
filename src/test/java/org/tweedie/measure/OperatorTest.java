// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.image.Image;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Checks each operator against numbers worked out by hand. */
class OperatorTest {
    /**
     * At s = 2 the stretched cubic at distances 1/4, 3/4, 5/4, 7/4 is 0.8671875, 0.2265625, -0.0703125, -0.0234375; halved,
     * the sum of both sides is 1.
     */
    @Test
    void bicubicByHand() {
        double[] w = {-0.01171875, -0.03515625, 0.11328125, 0.43359375, 0.43359375, 0.11328125, -0.03515625, -0.01171875};
        double[] m = Separable.reduction(16, 2, SuperResolution::cubic, 2).doubles();
        assertArrayEquals(w, Arrays.copyOfRange(m, 4 * 16 + 5, 4 * 16 + 13), 1e-15); // output 4: inputs 5..12 about 8.5
        double[] first = new double[16]; // output 0: inputs -3..4 about 0.5; -1 is 0, -2 is 1, -3 is 2
        for (int j = 0; j < 8; j++) {
            first[j < 3 ? 2 - j : j - 3] += w[j];
        }
        assertArrayEquals(first, Arrays.copyOf(m, 16), 1e-15);
    }

    /** A straight ramp keeps its values at the block centres away from the borders, since the cubic reproduces lines. */
    @Test
    void superResolutionOfARamp() {
        float[] x = new float[32 * 32 * 3];
        for (int i = 0; i < x.length; i++) {
            x[i] = i / 3 % 32 / 10f;
        }
        Tensor y = Run.apply(new SuperResolution(4), Tensor.of(Shape.of(1, 32, 32, 3), x)); // [1,8,8,3]
        for (int i = 2; i < 6; i++) {
            assertEquals((4 * i + 1.5) / 10, y.get((3 * 8 + i) * 3 + 1), 1e-6);
        }
        assertThrows(IllegalArgumentException.class, () -> new SuperResolution(1));
    }

    @Test
    void superResolutionSaysWhatWouldFit() {
        var e = assertThrows(IllegalArgumentException.class, () -> Operators.parse("sr:8", Shape.of(1, 512, 500, 3), 0));
        assertEquals("sr:8: image side 500 is not a multiple of 8; crop to 496 or pad to 504", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> Operators.parse("sr:8", Shape.of(1, 5, 8, 3), 0));
        assertEquals("sr:8: image side 5 is not a multiple of 8; pad to 8", e.getMessage());
    }

    @Test
    void superResolutionBack() {
        Tensor y = Tensor.of(Shape.of(1, 1, 2, 3), 0f, 1, 2, 4, 5, 6);
        Tensor blocks = new SuperResolution(2).start(y); // [1,2,4,3]
        assertEquals("[0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 4.0, 5.0, 6.0]",
                Arrays.toString(Arrays.copyOfRange(blocks.floats(), 12, 24)));
        Tensor lines = new SuperResolution(2).extend(y);
        assertEquals("[0.0, 1.0, 2.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 4.0, 5.0, 6.0]",
                Arrays.toString(Arrays.copyOf(lines.floats(), 12)));
    }

    /** The blur of a point far from the borders is the kernel, which has 25 taps for a standard deviation of three pixels. */
    @Test
    void gaussianBlurOfAPoint() {
        assertEquals(25, GaussianBlur.taps(3).length);
        float[] x = new float[41 * 41 * 3];
        x[(20 * 41 + 20) * 3 + 1] = 1;
        Tensor y = Run.apply(new GaussianBlur(3), Tensor.of(Shape.of(1, 41, 41, 3), x));
        double peak = y.get((20 * 41 + 20) * 3 + 1);
        assertEquals(peak * Math.exp(-(4 * 4 + 9 * 9) / 18.0), y.get((24 * 41 + 29) * 3 + 1), 1e-12);
        assertEquals(0, y.get((20 * 41 + 33) * 3 + 1), "cut at four std");
        assertEquals(0, y.get((20 * 41 + 20) * 3));
        assertEquals(1, Run.dot(y, Tensor.of(y.shape(), ones(x.length))), 1e-12);
    }

    /**
     * Taps 1/4 1/2 1/4 on a line of three pixels, reflected without repeating the edge: the first row has its right neighbour
     * twice.
     */
    @Test
    void reflectionByHand() {
        double[] taps = {0.25, 0.5, 0.25};
        assertArrayEquals(new double[] {0.5, 0.5, 0, 0.25, 0.5, 0.25, 0, 0.5, 0.5}, Separable.correlation(3, taps).doubles());
        assertArrayEquals(new double[] {0, 1, 1, 0, 0, 1, 1, 0}, Separable.padding(2, 1, 1).doubles());
        int[] reflected = {0, 1, 2, 1, 0, 1, 2, 1};
        int[] mirrored = {1, 0, 0, 1, 2, 2, 1, 0};
        for (int i = 0; i < 8; i++) {
            assertEquals(reflected[i], Separable.reflect(i - 4, 3));
            assertEquals(mirrored[i], Separable.mirror(i - 2, 3));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3, 4, 5, 6, 7})
    void motionKernelsAreStrokes(long seed) {
        double[] k = MotionKernel.draw(61, 0.5, seed).doubles();
        double sum = 0;
        int support = 0;
        double mx = 0;
        double my = 0;
        for (int i = 0; i < k.length; i++) {
            assertTrue(k[i] >= 0);
            sum += k[i];
            support += k[i] > 0 ? 1 : 0;
            mx += k[i] * (i % 61 - 30);
            my += k[i] * (i / 61 - 30);
        }
        assertEquals(1, sum, 1e-5);
        assertTrue(support > 10 && support < 61 * 61 / 4, "a thin stroke, not " + support + " pixels");
        assertTrue(Math.hypot(mx, my) < 6, "about the middle");
    }

    /** A kernel of two points off the middle: y(i) = 3/4 x(i + (−1, 2)) + 1/4 x(i + (3, 0)), reflected. */
    @Test
    void motionBlurByHand() {
        float[] k = new float[81];
        k[3 * 9 + 6] = 0.75f; // row -1, column +2 from the middle (4,4)
        k[7 * 9 + 4] = 0.25f; // row +3, column 0
        MotionBlur a = new MotionBlur(9, 0.5, Tensor.of(Shape.of(1, 1, 9, 9), k));
        Shape image = Shape.of(1, 7, 6, 3);
        Tensor x = Run.noise(image, 1);
        double[] y = Run.apply(a, x).doubles();
        for (int i = 0; i < y.length; i++) {
            int row = i / 3 / 6;
            int col = i / 3 % 6;
            double expected = 0.75 * x.get((Separable.reflect(row - 1, 7) * 6 + Separable.reflect(col + 2, 6)) * 3 + i % 3)
                    + 0.25 * x.get((Separable.reflect(row + 3, 7) * 6 + col) * 3 + i % 3);
            assertEquals(expected, y[i], 1e-12);
        }
        k[0] = 1;
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new MotionBlur(9, 0.5, Tensor.of(Shape.of(1, 1, 9, 9), k)))
                .getMessage().contains("sum 1"));
    }

    /** The correlation with the turned kernel is the adjoint, away from the borders. */
    @Test
    void motionExtendIsTheAdjointInside() {
        Shape image = Shape.of(1, 80, 80, 3);
        MotionBlur a = new MotionBlur(21, 0.5, 3L);
        float[] r = new float[(int) image.size()];
        r[(40 * 80 + 40) * 3 + 2] = 1;
        assertTrue(Run.distance(a.extend(Tensor.of(image, r)), Run.adjoint(a, Tensor.of(image, r), image)) < 1e-6);
    }

    @Test
    void boxesLieInsideTheMargin() {
        int[] tops = new int[64];
        for (long seed = 0; seed < 40; seed++) {
            float[] m = ((Inpaint) Operators.parse("inpaint:box", Shape.of(1, 64, 32, 3), seed)).mask().floats();
            int first = -1;
            int holes = 0;
            for (int i = 0; i < m.length; i++) {
                if (m[i] == 0) {
                    first = first < 0 ? i : first;
                    holes++;
                    assertTrue(i / 32 >= 4 && i / 32 < 60 && i % 32 >= 2 && i % 32 < 30);
                    assertTrue(i / 32 < first / 32 + 32 && i % 32 >= first % 32 && i % 32 < first % 32 + 16);
                }
            }
            assertEquals(32 * 16, holes);
            tops[first / 32]++;
        }
        assertTrue(Arrays.stream(tops).filter(n -> n > 0).count() > 10, "places differ");
        var e = assertThrows(IllegalArgumentException.class, () -> Operators.parse("inpaint:box:60", Shape.of(1, 64, 64, 3), 0));
        assertEquals("inpaint:box:60: a box of 60x60 does not fit into a picture of 64x64 with a margin of a sixteenth; "
                + "choose a size from 1 to 56", e.getMessage());
    }

    @Test
    void randomMasksRemoveJustTheFraction() {
        Inpaint a = (Inpaint) Operators.parse("inpaint:random:0.3", Shape.of(1, 20, 15, 3), 1);
        float sum = 0;
        for (float v : a.mask().floats()) {
            sum += v;
        }
        assertEquals(300 - 90, sum);
        assertEquals(3 * 210, a.measurements(Shape.of(1, 20, 15, 3)));
    }

    @Test
    void holesSayNothing() {
        Shape image = Shape.of(1, 32, 32, 3);
        Inpaint a = (Inpaint) Operators.parse("inpaint:box", image, 1);
        Tensor r = Run.residual(a, Run.noise(image, 1), Run.noise(image, 2));
        for (int i = 0; i < r.size(); i++) {
            assertEquals(a.mask().get(i / 3) == 0, r.get(i) == 0);
        }
    }

    /**
     * A plane solves Laplace's equation, so a hole in a plane is filled with the plane, whatever was in the hole; known
     * pixels stay.
     */
    @Test
    void holesAreFilledHarmonically() {
        Shape image = Shape.of(1, 64, 64, 3);
        Inpaint a = (Inpaint) Operators.parse("inpaint:box", image, 1);
        float[] plane = new float[(int) image.size()];
        float[] y = new float[plane.length];
        for (int i = 0; i < plane.length; i++) {
            plane[i] = i / 3 % 64 / 64f - i / 192 / 50f + i % 3;
            y[i] = a.mask().get(i / 3) == 1 ? plane[i] : 100;
        }
        float[] filled = a.start(Tensor.of(image, y)).floats();
        for (int i = 0; i < plane.length; i++) {
            assertEquals(plane[i], filled[i], a.mask().get(i / 3) == 1 ? 0 : 0.03);
        }
    }

    @Test
    void masksComeFromPictures() {
        Image m = new Image(2, 1, new float[] {1, 1, 1, -1, -1, -1});
        Inpaint a = Inpaint.of("inpaint:m.png", m, Shape.of(1, 1, 2, 3));
        assertArrayEquals(new float[] {1, 0}, a.mask().floats());
        var e = assertThrows(IllegalArgumentException.class, () -> Inpaint.of("inpaint:m.png", m, Shape.of(1, 2, 2, 3)));
        assertEquals("inpaint:m.png: the mask is 2x1, the picture 2x2; make them the same size", e.getMessage());
        Image black = new Image(2, 1, new float[] {-1, -1, -1, -1, -1, -1});
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Inpaint.of("inpaint:m.png", black, Shape.of(1, 1, 2, 3)))
                .getMessage().contains("keeps no pixel"));
        e = assertThrows(IllegalArgumentException.class, () -> a.outShape(Shape.of(1, 4, 4, 3)));
        assertEquals("inpaint:m.png: the mask is for pictures of 2x1, got 4x4", e.getMessage());
    }

    private static float[] ones(int n) {
        float[] o = new float[n];
        Arrays.fill(o, 1);
        return o;
    }
}
