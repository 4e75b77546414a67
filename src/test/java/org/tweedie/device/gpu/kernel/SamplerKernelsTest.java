// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.program.DType;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;

/** The sampler's formulas against themselves in double. */
@Tag("kernels")
class SamplerKernelsTest {
    private static final int[] SIZES = {1, 3, 13, 64, 65, 77, 1028};
    private static final NoiseLevel FROM = new NoiseLevel(601, 0.16);
    private static final NoiseLevel TO = new NoiseLevel(581, 0.19);
    private static final double W = 7.5;

    private static Buffer random(KernelBench bench, String name, DType dtype, int stream, int n) {
        return bench.in(name, dtype, new Philox(3, stream).normals(0, Shape.of(n)));
    }

    private static Buffer scalar(KernelBench bench, String name, double x) {
        return bench.in(name, DType.F32, Shape.of(), x);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void tweedie(DType dtype) {
        for (int n : SIZES) {
            try (KernelBench bench = new KernelBench()) {
                Buffer z = random(bench, "z", DType.F32, 1, n);
                Buffer eps = random(bench, "eps", dtype, 2, n);
                Buffer zbar = bench.out("zbar", DType.F32, Shape.of(n));
                bench.run(SamplerKernels.tweedie(), List.of(z, eps, scalar(bench, "sigma", FROM.sigma()), scalar(bench,
                        "sqrt_abar", FROM.sqrtAbar())), List.of(zbar));
                double[] x = bench.read(z);
                double[] noise = bench.read(eps);
                for (int i = 0; i < n; i++) {
                    x[i] = mean(x[i], noise[i]);
                }
                ErrorBudget.check("tweedie " + n, DType.F32, x, bench.read(zbar));
            }
        }
    }

    private static double mean(double z, double eps) {
        return (z - FROM.sigma() * eps) / FROM.sqrtAbar();
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void ddim(DType dtype) {
        for (int n : SIZES) {
            ddim(dtype, n, false);
        }
        ddim(dtype, 77, true);
        ddim(dtype, 128, true);
    }

    private static void ddim(DType dtype, int n, boolean inPlace) {
        try (KernelBench bench = new KernelBench()) {
            Buffer z = random(bench, "z", DType.F32, 1, n);
            Buffer eps = random(bench, "eps", dtype, 2, n);
            double[] expected = bench.read(z);
            Buffer next = inPlace ? z : bench.out("next", DType.F32, Shape.of(n));
            bench.run(SamplerKernels.ddim(), List.of(z, eps, scalar(bench, "sigma", FROM.sigma()),
                    scalar(bench, "sqrt_abar", FROM.sqrtAbar()), scalar(bench, "to.sqrt_abar", TO.sqrtAbar()), scalar(bench,
                            "to.sigma", TO.sigma())),
                    List.of(next));
            double[] noise = bench.read(eps);
            for (int i = 0; i < n; i++) {
                expected[i] = TO.sqrtAbar() * mean(expected[i], noise[i]) + TO.sigma() * noise[i];
            }
            ErrorBudget.check("ddim " + n, DType.F32, expected, bench.read(next));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    @Tag("sanitized")
    void guidanceAndItsPullBack(DType dtype) {
        for (int n : SIZES) {
            try (KernelBench bench = new KernelBench()) {
                Buffer both = random(bench, "both", dtype, 1, 2 * n);
                Buffer eps = bench.out("eps", dtype, Shape.of(n));
                bench.run(SamplerKernels.guidance(W), List.of(both), List.of(eps));
                double[] x = bench.read(both);
                double[] expected = new double[n];
                for (int i = 0; i < n; i++) {
                    expected[i] = x[i] + W * (x[n + i] - x[i]);
                }
                ErrorBudget.check("guidance " + n, dtype, expected, bench.read(eps));

                Buffer c = random(bench, "c", dtype, 2, n);
                Buffer back = bench.out("back", dtype, Shape.of(2 * n));
                bench.run(SamplerKernels.guidanceVjp(W), List.of(c), List.of(back));
                double[] g = bench.read(c);
                double[] halves = new double[2 * n];
                for (int i = 0; i < n; i++) {
                    halves[i] = (1 - W) * g[i];
                    halves[n + i] = W * g[i];
                }
                ErrorBudget.check("guidance pulled back " + n, dtype, halves, bench.read(back));
            }
        }
    }
}
