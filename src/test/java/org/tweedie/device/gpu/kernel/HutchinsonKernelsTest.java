// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.program.DType;
import org.tweedie.program.Philox;
import org.tweedie.program.Rounding;
import org.tweedie.program.Shape;

/** The fused probe against its formulas in double. */
@Tag("kernels")
class HutchinsonKernelsTest {
    private static final int[][] SIZES = {{1, 1}, {1, 3}, {2, 13}, {3, 65}, {1, 64}, {2, 512}, {2, 1028}, {1, 1077}};
    private static final double H = 0.0625;
    private static final double SIGMA = 0.75;

    private static Buffer random(KernelBench bench, String name, DType dtype, int stream, int... dims) {
        return bench.in(name, dtype, new Philox(7, stream).normals(0, Shape.of(dims)));
    }

    private static Buffer scalar(KernelBench bench, String name, double x) {
        return bench.in(name, DType.F32, Shape.of(), x);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void form(DType dtype) {
        for (int[] s : SIZES) {
            try (KernelBench bench = new KernelBench()) {
                Buffer z = random(bench, "z", DType.F32, 1, s);
                Buffer e = random(bench, "e", DType.F32, 2, s);
                Buffer both = bench.out("both", dtype, Shape.of(2 * s[0], s[1]));
                bench.run(HutchinsonKernels.pair(), List.of(z, e, scalar(bench, "h", H)), List.of(both));
                ErrorBudget.check("form " + z.shape(), dtype, formed(bench.read(z), bench.read(e)), bench.read(both));
            }
        }
    }

    private static double[] formed(double[] z, double[] e) {
        int n = z.length;
        double[] both = new double[2 * n];
        for (int i = 0; i < n; i++) {
            both[i] = z[i];
            both[n + i] = z[i] + H * e[i];
        }
        return both;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void formPulledBack(DType dtype) {
        for (int[] s : SIZES) {
            try (KernelBench bench = new KernelBench()) {
                Buffer both = random(bench, "both", dtype, 1, 2 * s[0], s[1]);
                Buffer u = random(bench, "u", DType.F32, 2, s);
                Buffer dz = bench.out("dz", DType.F32, Shape.of(s));
                Buffer alone = bench.out("alone", DType.F32, Shape.of(s));
                bench.run(HutchinsonKernels.pairVjp(true), List.of(both, u), List.of(dz));
                bench.run(HutchinsonKernels.pairVjp(false), List.of(both), List.of(alone));
                double[] c = bench.read(both);
                double[] expected = bench.read(u);
                double[] halves = new double[expected.length];
                for (int i = 0; i < expected.length; i++) {
                    halves[i] = c[i] + c[expected.length + i];
                    expected[i] += halves[i];
                }
                ErrorBudget.check("form pulled back " + u.shape(), DType.F32, expected, bench.read(dz));
                ErrorBudget.check("form pulled back alone " + u.shape(), DType.F32, halves, bench.read(alone));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void seed(DType dtype) {
        for (int[] s : SIZES) {
            try (KernelBench bench = new KernelBench()) {
                Buffer u = random(bench, "u", DType.F32, 1, s);
                Buffer e = random(bench, "e", DType.F32, 2, s);
                Buffer weight = random(bench, "weight", DType.F32, 3, s[0]);
                Buffer both = bench.out("both", dtype, Shape.of(2 * s[0], s[1]));
                bench.run(HutchinsonKernels.estimateVjp(-1), List.of(u, weight, e, scalar(bench, "sigma", SIGMA), scalar(bench,
                        "h", H)), List.of(both));
                double[] data = bench.read(u);
                double[] probe = bench.read(e);
                double[] w = bench.read(weight);
                double[] expected = new double[2 * data.length];
                for (int i = 0; i < data.length; i++) {
                    double c = -w[i / s[1]] / (SIGMA * H);
                    expected[i] = -SIGMA * data[i] - c * probe[i];
                    expected[data.length + i] = c * probe[i];
                }
                ErrorBudget.check("seed " + u.shape(), dtype, expected, bench.read(both));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    @Tag("sanitized")
    void reduce(DType dtype) {
        for (int[] s : SIZES) {
            reduce(dtype, s);
        }
    }

    /** Samples of more than one chunk: their length no multiple of the chunk's, and odd. */
    @Test
    void reduceInChunks() {
        reduce(DType.F32, 2, 65536 + 12);
        reduce(DType.BF16, 1, 2 * 65536 + 7);
    }

    /** A sum of terms of either sign is as exact as its terms are large: at most 1e-6 of the sum of their sizes. */
    private static void reduce(DType dtype, int... s) {
        try (KernelBench bench = new KernelBench()) {
            Buffer both = random(bench, "both", dtype, 1, 2 * s[0], s[1]);
            Buffer e = random(bench, "e", DType.F32, 2, s);
            Buffer trace = bench.out("trace", DType.F32, Shape.of(s[0]));
            bench.run(HutchinsonKernels.reduce(-1, e.shape()), List.of(both, e, scalar(bench, "h", H), scalar(bench, "sigma",
                    SIGMA)), List.of(trace));
            double[] x = bench.read(both);
            double[] probe = bench.read(e);
            for (int b = 0; b < s[0]; b++) {
                double sum = 0;
                double size = 0;
                for (int i = b * s[1]; i < (b + 1) * s[1]; i++) {
                    double term = -probe[i] * (x[probe.length + i] - x[i]) / (H * SIGMA);
                    sum += term;
                    size += Math.abs(term);
                }
                assertEquals(sum, bench.read(trace)[b], 1e-6 * size, "trace " + e.shape() + " " + dtype + ", sample " + b);
            }
        }
    }

    /** What 16-bit storage of the batch costs is the rounding of its elements, nothing else. */
    @Test
    void formRoundsOnce() {
        try (KernelBench bench = new KernelBench()) {
            Buffer z = random(bench, "z", DType.F32, 1, 1, 77);
            Buffer e = random(bench, "e", DType.F32, 2, 1, 77);
            Buffer wide = bench.out("wide", DType.F32, Shape.of(2, 77));
            Buffer narrow = bench.out("narrow", DType.F16, Shape.of(2, 77));
            bench.run(HutchinsonKernels.pair(), List.of(z, e, scalar(bench, "h", H)), List.of(wide));
            bench.run(HutchinsonKernels.pair(), List.of(z, e, scalar(bench, "h2", H)), List.of(narrow));
            double[] expected = bench.read(wide);
            for (int i = 0; i < expected.length; i++) {
                expected[i] = Rounding.to(DType.F16, (float) expected[i]);
            }
            assertArrayEquals(expected, bench.read(narrow));
        }
    }
}
