// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.Buffer;
import org.tweedie.device.gpu.GpuKernel;
import org.tweedie.device.gpu.KernelBench;
import org.tweedie.device.gpu.Measures;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Compares kernels/measure.cu on the PTX machine with the traced operators in double precision. */
@Tag("kernels")
class MeasuresTest {
    /** The bound on |y - y'| / |y|: sums of positive taps in F32 have a few roundings each. */
    private static final double TOLERANCE = 1e-6;

    /** An operator, and the kernels that must compute the same with {@code taps}. */
    private record Case(MeasurementOperator a, Shape image, Tensor taps, GpuKernel forward, GpuKernel adjoint) {
        @Override
        public String toString() {
            return a.spec() + " on " + image;
        }
    }

    /**
     * The cases: sides that are smaller than the kernel's reach (down to one pixel), sides that are not a multiple of a tile,
     * several tiles, windows larger than shared memory, and two pictures.
     */
    static Stream<Case> cases() {
        return Stream.of(
                blur(3, 2, 13, 17), blur(3, 1, 5, 3), blur(2, 2, 1, 9), blur(0.4, 1, 2, 1), blur(1, 1, 75, 40),
                blur(30, 1, 20, 130), blur(30, 1, 150, 11),
                reduction(2, 2, 8, 6), reduction(4, 1, 16, 24), reduction(4, 2, 4, 8), reduction(8, 1, 72, 8),
                reduction(3, 1, 9, 3),
                motion(motionKernel(9, 1), 2, 11, 13), motion(motionKernel(31, 2), 1, 20, 41),
                motion(motionKernel(61, 3), 1, 12, 9),
                motion(corner(), 1, 7, 5), motion(corner(), 2, 1, 6), motion(corner(), 1, 9, 33), motion(corners(), 1, 12, 37),
                mask(2, 7, 5), mask(1, 16, 32));
    }

    private static Case blur(double std, int b, int h, int w) {
        Shape image = Shape.of(b, h, w, 3);
        double[] taps = GaussianBlur.taps(std);
        Measures.Separable s = new Measures.Separable(taps.length, 1, -(taps.length / 2), Measures.Border.REFLECT);
        return new Case(new GaussianBlur(std), image, Tensor.of(Shape.of(taps.length), taps), Measures.separable(s, image),
                Measures.separableVjp(s, image));
    }

    /**
     * Makes a case with the taps of the kernel that is stretched by s around the middle of a block, as in
     * {@link Separable#reduction}.
     */
    private static Case reduction(int s, int b, int h, int w) {
        Shape image = Shape.of(b, h, w, 3);
        double centre = 0.5 * s - 0.5;
        int from = (int) Math.floor(centre - 2 * s);
        double[] taps = new double[(int) Math.ceil(centre + 2 * s) - from + 1];
        double sum = 0;
        for (int t = 0; t < taps.length; t++) {
            taps[t] = SuperResolution.cubic((centre - from - t) / s);
            sum += taps[t];
        }
        for (int t = 0; t < taps.length; t++) {
            taps[t] /= sum;
        }
        Measures.Separable map = new Measures.Separable(taps.length, s, from, Measures.Border.MIRROR);
        return new Case(new SuperResolution(s), image, Tensor.of(Shape.of(taps.length), taps), Measures.separable(map, image),
                Measures.separableVjp(map, image));
    }

    private static Tensor motionKernel(int size, long seed) {
        return MotionKernel.draw(size, 0.5, seed);
    }

    /**
     * Returns a 9 x 9 kernel with values in three rows and five columns of one corner only, so that it reaches far to one
     * side and not at all to the other.
     */
    private static Tensor corner() {
        float[] k = new float[81];
        for (int i = 0; i < 15; i++) {
            k[(i / 5 + 2) * 9 + i % 5 + 4] = (i + 1) / 120f;
        }
        return Tensor.of(Shape.of(1, 1, 9, 9), k);
    }

    /** Returns a 65 x 65 kernel with values only in the four corners and the middle. */
    private static Tensor corners() {
        float[] k = new float[65 * 65];
        for (int i : new int[] {0, 64, 32 * 65 + 32, 64 * 65, 64 * 65 + 64}) {
            k[i] = (1 + i % 7) / 16f;
        }
        float sum = 0;
        for (float v : k) {
            sum += v;
        }
        for (int i = 0; i < k.length; i++) {
            k[i] /= sum;
        }
        return Tensor.of(Shape.of(1, 1, 65, 65), k);
    }

    /** Makes a case with the kernel, cut to the rectangle of its nonzero values. */
    private static Case motion(Tensor kernel, int b, int h, int w) {
        Shape image = Shape.of(b, h, w, 3);
        int size = kernel.shape().dim(2);
        float[] k = kernel.floats();
        int[] rows = Stream.iterate(0, i -> i + 1).limit(k.length).filter(i -> k[i] != 0).mapToInt(i -> i / size).toArray();
        int[] columns = Stream.iterate(0, i -> i + 1).limit(k.length).filter(i -> k[i] != 0).mapToInt(i -> i % size)
                .sorted().toArray();
        int top = rows[0];
        int left = columns[0];
        int kh = rows[rows.length - 1] - top + 1;
        int kw = columns[columns.length - 1] - left + 1;
        float[] cut = new float[kh * kw];
        for (int i = 0; i < cut.length; i++) {
            cut[i] = k[(top + i / kw) * size + left + i % kw];
        }
        return new Case(new MotionBlur(size, 0.5, kernel), image, Tensor.of(Shape.of(kh, kw), cut),
                Measures.convolve(image, kh, kw, size / 2 - top, size / 2 - left),
                Measures.convolveVjp(image, kh, kw, size / 2 - top, size / 2 - left));
    }

    private static Case mask(int b, int h, int w) {
        Shape image = Shape.of(b, h, w, 3);
        Random random = new Random(1);
        float[] m = new float[h * w];
        for (int i = 0; i < m.length; i++) {
            m[i] = random.nextInt(3) == 0 ? 0 : 1;
        }
        Tensor mask = Tensor.of(Shape.of(1, h, w, 1), m);
        return new Case(new Inpaint("inpaint:test", mask), image, mask, Measures.mask(image), Measures.mask(image));
    }

    private static double[] run(GpuKernel k, Tensor x, Tensor taps, Shape y) {
        try (KernelBench bench = new KernelBench()) {
            Buffer out = bench.out("y", DType.F32, y);
            bench.run(k, List.of(bench.in("x", DType.F32, x), bench.in("taps", DType.F32, taps)), List.of(out));
            return bench.read(out);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void forwardIsTheTracedOperator(Case c) {
        Tensor x = OpCase.random(c.image, 5);
        close(Run.apply(c.a, x).doubles(), run(c.forward, x, c.taps, c.a.outShape(c.image)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void adjointIsTheTracedAdjoint(Case c) {
        Tensor y = OpCase.random(c.a.outShape(c.image), 6);
        close(Run.adjoint((LinearOperator) c.a, y, c.image).doubles(), run(c.adjoint, y, c.taps, c.image));
    }

    /** Checks that the two kernels are adjoint: <A x, y> = <x, A^T y>. */
    @ParameterizedTest
    @MethodSource("cases")
    @Tag("sanitized")
    void kernelsAreAdjoint(Case c) {
        Tensor x = OpCase.random(c.image, 7);
        Tensor y = OpCase.random(c.a.outShape(c.image), 8);
        double[] ax = run(c.forward, x, c.taps, y.shape());
        double[] aty = run(c.adjoint, y, c.taps, x.shape());
        double size = Math.sqrt(dot(ax, ax) * dot(y.doubles(), y.doubles()));
        assertEquals(dot(ax, y.doubles()), dot(x.doubles(), aty), TOLERANCE * size);
    }

    @Test
    void masksRunInPlace() {
        Case c = mask(2, 7, 5);
        Tensor x = OpCase.random(c.image, 5);
        try (KernelBench bench = new KernelBench()) {
            Buffer b = bench.in("x", DType.F32, x);
            bench.run(c.forward, List.of(b, bench.in("mask", DType.F32, c.taps)), List.of(b));
            assertArrayEquals(run(c.forward, x, c.taps, c.image), bench.read(b));
        }
    }

    @Test
    void sizesThatDoNotFitAreRefused() {
        Measures.Separable s = new Measures.Separable(10, 4, -7, Measures.Border.MIRROR);
        assertThrows(IllegalArgumentException.class, () -> Measures.separable(s, Shape.of(1, 10, 8, 3)));
        assertThrows(IllegalArgumentException.class, () -> Measures.convolve(Shape.of(1, 8, 8, 3), 3, 3, 3, 0));
        assertThrows(IllegalArgumentException.class, () -> Measures.convolve(Shape.of(1, 8, 8, 1), 3, 3, 1, 1));
    }

    private static double dot(double[] x, double[] y) {
        double s = 0;
        for (int i = 0; i < x.length; i++) {
            s += x[i] * y[i];
        }
        return s;
    }

    private static void close(double[] expected, double[] actual) {
        double off = 0;
        for (int i = 0; i < expected.length; i++) {
            off += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        }
        double error = Math.sqrt(off / dot(expected, expected));
        assertTrue(error <= TOLERANCE, "relative error " + error);
    }
}
