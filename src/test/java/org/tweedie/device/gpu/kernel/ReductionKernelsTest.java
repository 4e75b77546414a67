// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tweedie.device.gpu.kernel.OneOp.REALS;
import static org.tweedie.device.gpu.kernel.OpBench.distance;
import static org.tweedie.device.gpu.kernel.OpBench.rounded;

import java.util.ArrayList;
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
import org.tweedie.program.op.ReduceSum;
import org.tweedie.program.op.SumPool;

/** kernels/reduce.cu on the PTX machine against the reference device. */
@Tag("kernels")
class ReductionKernelsTest {
    static Stream<Arguments> cases() {
        List<OpCase> c = new ArrayList<>(OpCase.all().filter(o -> o.op() instanceof ReduceSum || o.op() instanceof SumPool)
                .toList());
        sum(c, Shape.of(1), 0);
        sum(c, Shape.of(3, 1, 5), 1); // nothing to add
        sum(c, Shape.of(130, 3), 1); // short rows
        sum(c, Shape.of(2, 40_003), 1); // long rows, cut, no whole vectors
        sum(c, Shape.of(2, 20_000), 1);
        sum(c, Shape.of(3001, 3), 0); // narrow columns
        sum(c, Shape.of(2, 400, 24), 1);
        sum(c, Shape.of(1000, 136), 0);
        sum(c, Shape.of(2, 3, 520), 1); // wide columns, few rows
        sum(c, Shape.of(2, 450, 3, 20), 1, 3); // by turns, long
        sum(c, Shape.of(5, 3, 7), 0, 2);
        sum(c, Shape.of(2, 3, 2, 3, 2, 3), 0, 2, 4);
        for (Shape s : List.of(Shape.of(1, 4, 6, 16), Shape.of(2, 2, 4, 8), Shape.of(1, 2, 2, 1))) {
            c.add(new OpCase(new SumPool(2), 1, List.of(s)));
        }
        c.add(new OpCase(new SumPool(3), 1, List.of(Shape.of(1, 3, 9, 4))));
        return c.stream().flatMap(o -> REALS.stream().map(t -> Arguments.of(o, t)));
    }

    private static void sum(List<OpCase> cases, Shape x, Integer... axes) {
        cases.add(new OpCase(new ReduceSum(List.of(axes)), 1, List.of(x)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReference(OpCase c, DType real) {
        OpBench.check(c, real);
    }

    /** Numbers of one sign: the tree's error stays at a few roundings, where one F32 accumulator would lose hundreds. */
    @Test
    void longSumsKeepTheirAccuracy() {
        double[] x = Arrays.stream(OpCase.random(Shape.of(1 << 18), 4).doubles()).map(v -> (float) Math.abs(v)).toArray();
        for (Shape s : List.of(Shape.of(1, 1 << 18), Shape.of(1 << 18, 1), Shape.of(1 << 16, 4))) {
            List<Integer> axes = s.dim(0) == 1 ? List.of(1) : List.of(0);
            Shape out = Shape.of(s.dim(0) == 1 ? 1 : s.dim(1));
            double[] y = new double[(int) out.size()];
            for (int i = 0; i < x.length; i++) {
                y[i % y.length] += x[i];
            }
            try (KernelBench bench = new KernelBench()) {
                Buffer to = bench.out("y", DType.F32, out);
                bench.run(ReductionKernels.sum(s, axes), List.of(bench.in("x", DType.F32, s, x)), List.of(to));
                double error = distance(bench.read(to), y);
                assertTrue(error <= 1.5e-7, s + ": " + error);
            }
        }
    }

    /** Sums of 16-bit numbers whose results stay in F32, beyond F16's range. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F16", "BF16"})
    @Tag("sanitized")
    void resultsMayStayInF32(DType real) {
        for (Shape s : List.of(Shape.of(3, 77), Shape.of(2, 9000), Shape.of(3, 1))) {
            double[] x = rounded(Arrays.stream(OpCase.random(s, 4).doubles()).map(v -> 10_000 * Math.abs(v)).toArray(), real);
            double[] y = new double[s.dim(0)];
            for (int i = 0; i < x.length; i++) {
                y[i / s.dim(1)] += x[i];
            }
            try (KernelBench bench = new KernelBench()) {
                Buffer to = bench.out("y", DType.F32, Shape.of(s.dim(0), 1));
                bench.run(ReductionKernels.sum(s, List.of(1)), List.of(bench.in("x", real, s, x)), List.of(to));
                assertTrue(distance(bench.read(to), y) <= 2e-7, s.toString());
            }
        }
    }

    /** Cuts depend on the shape alone, so working memory does too; short sums need none. */
    @Test
    void workingMemoryIsThatOfThePartialSums() {
        assertEquals(0, ReductionKernels.sum(Shape.of(64, 1000), List.of(1)).scratch());
        assertEquals(4 * 384, ReductionKernels.sum(Shape.of(1, 512 * 512 * 3), List.of(1)).scratch());
    }
}
