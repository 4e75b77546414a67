// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tweedie.device.gpu.kernel.OneOp.REALS;
import static org.tweedie.device.gpu.kernel.OpBench.distance;
import static org.tweedie.device.gpu.kernel.OpBench.rounded;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Affine;
import org.tweedie.program.op.Binary;
import org.tweedie.program.op.Fn;

/** kernels/elementwise.cu on the PTX machine against the reference device. */
@Tag("kernels")
class ElementwiseKernelsTest {
    /**
     * Shapes of x and y: alike, a number, bias, per sample, both (a time embedding on feature maps), each repeated somewhere;
     * whole vectors or not.
     */
    private static final List<List<Shape>> SHAPES = List.of(
            List.of(Shape.of(1), Shape.of(1)),
            List.of(Shape.of(3, 77), Shape.of(3, 77)),
            List.of(Shape.of(2, 3, 5, 16), Shape.of(2, 3, 5, 16)),
            List.of(Shape.of(5, 64), Shape.of()),
            List.of(Shape.of(2, 3, 5, 16), Shape.of(16)),
            List.of(Shape.of(2, 3, 5, 16), Shape.of(2, 1, 1, 1)),
            List.of(Shape.of(2, 3, 5, 24), Shape.of(2, 1, 1, 24)),
            List.of(Shape.of(2, 4, 3, 3), Shape.of(1, 4, 3, 1)),
            List.of(Shape.of(2, 1, 3, 1, 2, 1), Shape.of(1, 2, 1, 5, 1, 8)),
            List.of(Shape.of(1, 2, 1, 3, 1, 2), Shape.of(2, 1, 3, 1, 5, 1)));

    static Stream<Arguments> cases() {
        Stream<OpCase> more = SHAPES.stream().flatMap(s -> Arrays.stream(Binary.Kind.values()).map(k -> new OpCase(new Binary(k),
                2, s)));
        Stream<OpCase> affine = Stream.of(1, 8, 1021, 4096).map(n -> new OpCase(new Affine(-0.75, 3), 1, List.of(Shape.of(n))));
        List<OpCase> all = Stream.of(OpCase.all().filter(c -> c.op() instanceof Binary || c.op() instanceof Affine), more, affine)
                .flatMap(s -> s).toList();
        return all.stream().flatMap(c -> REALS.stream().map(t -> Arguments.of(c, t)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReference(OpCase c, DType real) {
        OpBench.check(c, real);
    }

    /** Operands of the result's shape are overwritten: each in turn, and both where they are one. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
    @Tag("sanitized")
    void runsInPlace(DType real) {
        for (List<Shape> s : SHAPES) {
            Shape out = Shape.broadcast(s.get(0), s.get(1));
            double[] x = OpCase.random(s.get(0), 1).doubles();
            double[] y = OpCase.random(s.get(1), 2).doubles();
            try (KernelBench bench = new KernelBench()) {
                Buffer a = bench.in("x", real, s.get(0), x);
                Buffer b = bench.in("y", real, s.get(1), y);
                Buffer z = bench.out("z", real, out);
                GpuKernel k = ElementwiseKernels.binary(Binary.Kind.SUB, out, s.get(0), s.get(1));
                bench.run(k, List.of(a, b), List.of(z));
                if (s.get(0).equals(out)) {
                    Buffer over = bench.in("x over", real, out, x);
                    bench.run(k, List.of(over, b), List.of(over));
                    assertArrayEquals(bench.bytes(z), bench.bytes(over), "in place of x " + s);
                    bench.run(ElementwiseKernels.affine(2, 1, out.size()), List.of(a), List.of(a));
                    assertArrayEquals(rounded(Arrays.stream(rounded(x, real)).map(v -> 2 * v + 1).toArray(), real),
                            bench.read(a));
                }
                if (s.get(1).equals(out)) {
                    Buffer over = bench.in("y over", real, out, y);
                    bench.run(ElementwiseKernels.binary(Binary.Kind.MUL, out, out, out), List.of(over, over), List.of(over));
                    assertArrayEquals(rounded(Arrays.stream(rounded(y, real)).map(v -> v * v).toArray(), real), bench.read(over));
                }
            }
        }
    }

    @Test
    void wholeVectorsAreMovedAtOnce() {
        assertEquals("add_forward_wide_f16", entry(ElementwiseKernels.binary(Binary.Kind.ADD, Shape.of(2, 9, 320), Shape.of(2, 9,
                320), Shape.of(320)), DType.F16));
        assertEquals("mul_forward_wide_f32", entry(ElementwiseKernels.binary(Binary.Kind.MUL, Shape.of(2, 3, 4), Shape.of(2, 1,
                1), Shape.of(2, 3, 4)), DType.F32));
        assertEquals("div_forward_bf16", entry(ElementwiseKernels.binary(Binary.Kind.DIV, Shape.of(2, 3, 4), Shape.of(2, 3, 4),
                Shape.of(4)), DType.BF16));
    }

    private static String entry(GpuKernel k, DType t) {
        return KernelBench.entry(k, new Buffer("b", t, Shape.of(1), 256));
    }

    @Test
    void mixedTypesAreRefused() {
        try (KernelBench bench = new KernelBench()) {
            Buffer x = bench.in("x", DType.F32, Shape.of(1), 1);
            Buffer y = bench.out("y", DType.F16, Shape.of(1));
            String message = assertThrows(IllegalArgumentException.class, () -> bench.run(ElementwiseKernels.affine(1, 1, 1),
                    List.of(x), List.of(y))).getMessage();
            assertEquals("affine: expected one of F32, F16 and BF16 for all, got [x:F32[1], y:F16[1]]", message);
        }
    }

    /** Sums in F32, rounded once: as double arithmetic rounded to the type, but for double rounding near a tie. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
    void residualAndBias(DType real) {
        for (Shape s : List.of(Shape.of(2, 3, 16), Shape.of(5, 13), Shape.of(1, 1))) {
            double[] x = rounded(OpCase.random(s, 1).doubles(), real);
            double[] bias = rounded(OpCase.random(Shape.of(s.dim(-1)), 2).doubles(), real);
            for (boolean hasBias : new boolean[] {false, true}) {
                double[] y = x.clone();
                for (int i = 0; i < y.length; i++) {
                    y[i] += hasBias ? bias[i % bias.length] : 0;
                }
                try (KernelBench bench = new KernelBench()) {
                    List<Buffer> in = Stream.of(bench.in("x", real, s, x), hasBias ? bench.in("bias", real, Shape.of(s.dim(-1)),
                            bias) : null)
                            .filter(b -> b != null).toList();
                    Buffer out = bench.out("y", real, s);
                    bench.run(ElementwiseKernels.residual(s, hasBias), in, List.of(out));
                    double error = distance(bench.read(out), y);
                    double budget = real == DType.F32 ? 2e-7 : 1.01 * distance(rounded(y, real), y);
                    assertTrue(error <= budget, s + ", bias " + hasBias + ": " + error + " > " + budget);
                    bench.run(ElementwiseKernels.residual(s, hasBias), in, List.of(in.getFirst()));
                    assertArrayEquals(bench.bytes(out), bench.bytes(in.getFirst()), "in place");
                }
            }
        }
    }

    /** Bit for bit as Java rounds: every number of 16 bits that is not NaN, and in F32 subnormals, ties and what overflows. */
    @Test
    void castsRoundToNearest() {
        double[] all16 = new double[1 << 16];
        double[] all16b = new double[1 << 16];
        for (int i = 0; i < 1 << 16; i++) {
            float h = Float.float16ToFloat((short) i);
            float b = Float.intBitsToFloat(i << 16);
            all16[i] = Float.isNaN(h) ? 0 : h;
            all16b[i] = Float.isNaN(b) ? 0 : b;
        }
        Random random = new Random(5);
        double[] floats = new double[10_007];
        for (int i = 0; i < floats.length; i++) {
            float f = i % 2 == 0 ? Float.intBitsToFloat(random.nextInt()) : (float) (all16[i * 6 % all16.length] + all16[(i * 6
                    + 1) % all16.length]) / 2;
            floats[i] = Float.isNaN(f) ? 1 : f;
        }
        for (DType from : REALS) {
            double[] x = from == DType.F32 ? floats : from == DType.F16 ? all16 : all16b;
            for (DType to : REALS) {
                for (int n : (from == DType.F32) == (to == DType.F32) ? new int[0] : new int[] {x.length, 3}) {
                    double[] part = Arrays.copyOf(x, n);
                    try (KernelBench bench = new KernelBench()) {
                        Buffer y = bench.out("y", to, Shape.of(n));
                        bench.run(ElementwiseKernels.cast(bench.in("x", from, Shape.of(n), part), y));
                        assertArrayEquals(rounded(part, to), bench.read(y), from + " to " + to);
                    }
                }
            }
        }
    }
}
