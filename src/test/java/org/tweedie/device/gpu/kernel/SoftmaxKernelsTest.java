// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Softmax;

/** kernels/softmax.cu on the PTX machine against the reference device. */
@Tag("kernels")
class SoftmaxKernelsTest {
    /** Rows of one element, shorter and longer than a warp, on both sides of where a block takes over, whole vectors or not. */
    static Stream<Arguments> runs() {
        Stream<Shape> all = Stream.concat(OpCase.all().filter(c -> c.op() instanceof Softmax).map(c -> c.in().getFirst()),
                Stream.of(1, 3, 8, 31, 64, 100, 255, 256, 257, 1025, 1032, 4096).map(n -> Shape.of(3, 2, n)));
        List<Shape> shapes = all.toList();
        return shapes.stream().flatMap(s -> OneOp.REALS.stream().map(t -> Arguments.of(s, t)));
    }

    @ParameterizedTest
    @MethodSource("runs")
    void agreesWithReference(Shape s, DType real) {
        Tensor x = scaled(OpCase.random(s, 1), 3);
        Tensor y = Tensor.of(s, OneOp.reference(new Softmax(), real, x));
        OneOp.check("softmax " + s, SoftmaxKernels.forward(s), real, List.of(x), List.of(y));
    }

    @ParameterizedTest
    @MethodSource("runs")
    void runsInPlace(Shape s, DType real) {
        Tensor x = OpCase.random(s, 1);
        OneOp.checkInPlace("softmax " + s, SoftmaxKernels.forward(s), real, List.of(x), List.of(x), 0);
    }

    /** Minus infinity is a probability of 0, wherever it stands; a row of nothing else has none. Far from 0 nothing overflows. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
    @Tag("sanitized")
    void masksAndLargeNumbers(DType real) {
        for (int n : new int[] {77, 264, 1025}) {
            double[] x = scaled(OpCase.random(Shape.of(3, n), 5), 1).doubles();
            for (int i = 0; i < n; i++) {
                x[i] = i < n - 5 ? Double.NEGATIVE_INFINITY : x[i];
                x[n + i] += i % 2 == 0 ? 30_000 : -30_000;
                x[2 * n + i] = Double.NEGATIVE_INFINITY;
            }
            try (KernelBench bench = new KernelBench()) {
                Buffer y = bench.out("y", real, Shape.of(3, n));
                bench.run(SoftmaxKernels.forward(Shape.of(3, n)), List.of(bench.in("x", real, Shape.of(3, n), x)), List.of(y));
                double[] got = bench.read(y);
                double[] expected = OneOp.reference(new Softmax(), real, Tensor.of(Shape.of(3, n), x));
                ErrorBudget.check("masked", real, Arrays.copyOf(expected, 2 * n), Arrays.copyOf(got, 2 * n));
                assertEquals(n, Arrays.stream(got).filter(Double::isNaN).count(), "all masked");
            }
        }
    }

    @Test
    void rowsNeedNotBeMany() {
        Shape s = Shape.of(5);
        Tensor x = OpCase.random(s, 1);
        OneOp.check("one row", SoftmaxKernels.forward(s), DType.F32, List.of(x), List.of(Tensor.of(s,
                OneOp.reference(new Softmax(), DType.F32, x))));
    }

    private static Tensor scaled(Tensor x, double by) {
        return Tensor.of(x.shape(), Arrays.stream(x.doubles()).map(v -> (float) (v * by)).toArray());
    }
}
