// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.api.Test;
import org.tweedie.program.DType;
import org.tweedie.program.Philox;
import org.tweedie.program.Rounding;
import org.tweedie.program.Shape;

/** The device draws the numbers of Philox, bit for bit; 16-bit types hold them rounded. */
@Tag("kernels")
class NoiseTest {
    private static final Philox SEQUENCE = new Philox(0x8123456789ABC000L, 0x1_0000_0003L);

    @ParameterizedTest
    @EnumSource(Noise.Kind.class)
    @Tag("sanitized")
    void sameNumbersAsPhilox(Noise.Kind kind) {
        for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
            for (long offset : new long[] {0, 1, 2, 3, 4 * 77 + 2, (1L << 34) - 2, 1L << 40}) {
                for (int n : new int[] {1, 3, 13, 64, 77, 516}) {
                    check(kind, dtype, offset, n);
                }
            }
        }
    }

    private static void check(Noise.Kind kind, DType dtype, long offset, int n) {
        float[] expected = new float[n];
        switch (kind) {
            case NORMAL -> SEQUENCE.normals(offset, expected);
            case RADEMACHER -> SEQUENCE.rademacher(offset, expected);
            case UNIFORM -> SEQUENCE.uniforms(offset, expected);
        }
        double[] rounded = new double[n];
        for (int i = 0; i < n; i++) {
            rounded[i] = Rounding.to(dtype, expected[i]);
        }
        try (KernelBench bench = new KernelBench()) {
            Buffer key = bench.in("key", DType.I64, Noise.key(SEQUENCE, offset));
            Buffer out = bench.out("out", dtype, Shape.of(n));
            bench.run(Noise.draw(kind, key, out));
            assertArrayEquals(rounded, bench.read(out), kind + " " + dtype + " offset " + offset + " n " + n);
        }
    }

    /** Many numbers at once: among 4096 pairs both branches of the logarithm and every quarter of the circle occur. */
    @Test
    void manyNormals() {
        check(Noise.Kind.NORMAL, DType.F32, 12345, 8192);
    }

    @Test
    void keyIsThreeIntegers() {
        try (KernelBench bench = new KernelBench()) {
            Buffer out = bench.out("out", DType.F32, Shape.of(4));
            Buffer key = bench.out("key", DType.I64, Shape.of(2));
            assertThrows(IllegalArgumentException.class, () -> Noise.draw(Noise.Kind.NORMAL, key, out));
        }
    }
}
