// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;
import org.tweedie.program.op.Unary;
import org.tweedie.program.op.UnaryMul;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/** kernels/activation.cu on the PTX machine against the reference device. */
@Tag("kernels")
class ActivationKernelsTest {
    private static final List<Fn> COMMON = List.of(Fn.SILU, Fn.GELU, Fn.QUICK_GELU);

    static Stream<Arguments> runs() {
        return Arrays.stream(Fn.values()).flatMap(f -> OneOp.REALS.stream().map(t -> Arguments.of(f, t)));
    }

    /** Every function at every order, alone and times g; sizes of one element, below, at and beyond whole vectors and blocks. */
    @ParameterizedTest
    @MethodSource("runs")
    void agreesWithReference(Fn fn, DType real) {
        for (int order = 0; order <= Fn.MAX_ORDER; order++) {
            for (int n : new int[] {1, 8, 195, 2051}) {
                Tensor x = operand(fn, n);
                Tensor g = OpCase.random(Shape.of(n), 2);
                Tensor y = Tensor.of(x.shape(), OneOp.reference(new Unary(fn, order), real, x));
                Tensor z = Tensor.of(x.shape(), OneOp.reference(new UnaryMul(fn, order), real, x, g));
                OneOp.check(fn + ", order " + order + ", " + n, ActivationKernels.unary(fn, order, n), real, List.of(x),
                        List.of(y));
                OneOp.check("g " + fn + ", order " + order + ", " + n, ActivationKernels.unaryMul(fn, order, n), real, List.of(x,
                        g), List.of(z));
                OneOp.checkInPlace(fn + ", order " + order, ActivationKernels.unary(fn, order, n), real, List.of(x), List.of(x),
                        0);
                OneOp.checkInPlace("g " + fn + ", order " + order, ActivationKernels.unaryMul(fn, order, n), real, List.of(x, g),
                        List.of(x), 0);
                OneOp.checkInPlace("g " + fn + ", order " + order, ActivationKernels.unaryMul(fn, order, n), real, List.of(x, g),
                        List.of(x), 1);
            }
        }
    }

    private static Tensor operand(Fn fn, int n) {
        Tensor x = OpCase.random(Shape.of(n), 1);
        return fn != Fn.SQRT && fn != Fn.RSQRT ? x : Tensor.of(x.shape(), Arrays.stream(x.doubles()).map(v ->
                (float) (Math.abs(v) + 0.25)).toArray());
    }

    /** Value and tangent at once. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
    void duals(DType real) {
        for (Fn fn : COMMON) {
            for (int n : new int[] {3, 2056}) {
                Tensor x = OpCase.random(Shape.of(n), 1);
                Tensor t = OpCase.random(Shape.of(n), 2);
                List<Tensor> expected = List.of(Tensor.of(x.shape(), OneOp.reference(new Unary(fn, 0), real, x)),
                        Tensor.of(x.shape(), OneOp.reference(new UnaryMul(fn, 1), real, x, t)));
                OneOp.check(fn + ", both", ActivationKernels.dual(fn, n), real, List.of(x, t), expected);
                OneOp.checkInPlace(fn + ", both", ActivationKernels.dual(fn, n), real, List.of(x, t), expected, 0, 1);
                OneOp.checkInPlace(fn + ", both", ActivationKernels.dual(fn, n), real, List.of(x, t), expected, 1, 0);
            }
        }
        assertEquals("SIN: expected SILU, GELU or QUICK_GELU, which alone have a kernel for value and tangent at once",
                assertThrows(IllegalArgumentException.class, () -> ActivationKernels.dual(Fn.SIN, 1)).getMessage());
    }

    /**
     * Over the whole range, element by element, in F32: off by at most 1e-6 of the larger of the value and, where a function is a
     * difference (1 + erf, s (1 - s)), of its scale, 1 or |x|.
     */
    @ParameterizedTest
    @EnumSource(Fn.class)
    void overTheWholeRange(Fn fn) {
        double[] x = new double[4001];
        for (int i = 0; i < x.length; i++) {
            double at = (i - 2000) / 2000.0; // -1 to 1
            x[i] = (float) switch (fn) {
                case SILU, GELU, QUICK_GELU, LOGVAR_CLAMP -> 100 * at * at * at;
                case EXP -> 80 * at;
                case SIN, COS -> 1e6 * at * at * at;
                case SQRT, RSQRT -> Math.pow(10, 8 * at);
            };
        }
        Tensor in = Tensor.of(Shape.of(x.length), x);
        for (int order = 0; order <= Fn.MAX_ORDER; order++) {
            try (KernelBench bench = new KernelBench()) {
                Buffer y = bench.out("y", DType.F32, in.shape());
                bench.run(ActivationKernels.unary(fn, order, x.length), List.of(bench.in("x", DType.F32, in)), List.of(y));
                double[] got = bench.read(y);
                for (int i = 0; i < x.length; i++) {
                    double expected = fn.at(order, x[i]);
                    double scale = switch (fn) {
                        case SILU, GELU, QUICK_GELU -> Math.max(1, Math.abs(x[i]));
                        case SIN, COS -> 1;
                        default -> 0;
                    };
                    double bound = 1e-6 * Math.max(Math.abs(expected), scale);
                    assertTrue(Math.abs(got[i] - expected) <= bound || (float) expected == got[i]
                            || Math.abs(expected) > Float.MAX_VALUE,
                            fn + ", order " + order + " at " + x[i] + ": expected " + expected + ", got " + got[i]);
                }
            }
        }
    }

    /** Infinities and NaN, as in double; the saturated ends of the activations are exact. */
    @Test
    void edges() {
        double inf = Double.POSITIVE_INFINITY;
        assertArrayEquals(new double[] {inf, Double.NaN, Double.NaN, 200, 0, 0}, at(Fn.SILU, 0, inf, -inf, Double.NaN, 200, -200,
                0));
        assertArrayEquals(new double[] {1, 0, 0.5}, at(Fn.SILU, 1, 200, -200, 0));
        assertArrayEquals(new double[] {inf, Double.NaN, 200, 0}, at(Fn.GELU, 0, inf, Double.NaN, 200, -200));
        assertArrayEquals(new double[] {inf, 0, Double.NaN, 1}, at(Fn.EXP, 0, inf, -inf, Double.NaN, 0));
        assertArrayEquals(new double[] {20, -30, Double.NaN, 20, -30}, at(Fn.LOGVAR_CLAMP, 0, inf, -inf, Double.NaN, 20, -30));
        assertArrayEquals(new double[] {0, 0, 1, 0}, at(Fn.LOGVAR_CLAMP, 1, 20, -30, 0, -31));
        assertArrayEquals(new double[] {0, inf, Double.NaN}, at(Fn.SQRT, 0, 0, inf, -1));
        assertArrayEquals(new double[] {inf, 0, Double.NaN}, at(Fn.RSQRT, 0, 0, inf, -1));
        assertArrayEquals(new double[] {Double.NaN, Double.NaN}, at(Fn.SIN, 0, inf, Double.NaN));
    }

    private static double[] at(Fn fn, int order, double... x) {
        try (KernelBench bench = new KernelBench()) {
            Buffer y = bench.out("y", DType.F32, Shape.of(x.length));
            bench.run(ActivationKernels.unary(fn, order, x.length), List.of(bench.in("x", DType.F32, Shape.of(x.length), x)),
                    List.of(y));
            return Arrays.stream(bench.read(y)).map(v -> v + 0.0).toArray(); // no negative zeros
        }
    }

    /** GEGLU as {@code FeedForward} traces it, with its pull-back and push-forward. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
    @Tag("sanitized")
    void geglu(DType real) {
        for (Shape s : List.of(Shape.of(2, 3, 2), Shape.of(5, 14), Shape.of(2, 3, 48), Shape.of(3, 2 * 2056), Shape.of(2,
                2 * 1027))) {
            Program f = geglu(s);
            Tensor x = OpCase.random(s, 1);
            Tensor tx = OpCase.random(s, 2);
            Shape half = s.with(-1, s.dim(-1) / 2);
            Tensor dy = OpCase.random(half, 3);
            Tensor y = Tensor.of(half, OneOp.run(f, Map.of("x", x), "y", real));
            Tensor dx = Tensor.of(s, OneOp.run(Vjp.of(f, "y", "x"), Map.of("x", x, "cotangent", dy), "grad", real));
            Tensor ty = Tensor.of(half, OneOp.run(Jvp.of(f, "x", "y"), Map.of("x", x, "tangent", tx), "jvp", real));
            OneOp.check("GEGLU " + s, ActivationKernels.geglu(s), real, List.of(x), List.of(y));
            OneOp.check("GEGLU pull-back " + s, ActivationKernels.gegluVjp(s), real, List.of(x, dy), List.of(dx));
            OneOp.check("GEGLU push-forward " + s, ActivationKernels.gegluJvp(s), real, List.of(x, tx), List.of(ty));
            OneOp.check("GEGLU with its push-forward " + s, ActivationKernels.gegluDual(s), real, List.of(x, tx), List.of(y, ty));
            OneOp.checkInPlace("GEGLU pull-back " + s, ActivationKernels.gegluVjp(s), real, List.of(x, dy), List.of(dx), 0);
        }
    }

    private static Program geglu(Shape s) {
        Tracer t = new Tracer("GEGLU");
        Value x = t.input("x", Type.real(s));
        int half = s.dim(-1) / 2;
        t.output("y", t.emit1(new UnaryMul(Fn.GELU, 0), t.slice(x, -1, half, 2 * half), t.slice(x, -1, 0, half)));
        return t.finish();
    }

    /** The common ones have kernels of their own. */
    @Test
    void kernelsAreChosenByFunction() {
        List<String> entries = new ArrayList<>();
        for (GpuKernel k : List.of(ActivationKernels.unary(Fn.SILU, 0, 8), ActivationKernels.unaryMul(Fn.QUICK_GELU, 1, 8),
                ActivationKernels.unaryMul(Fn.GELU, 0, 8),
                ActivationKernels.unary(Fn.SILU, 1, 8), ActivationKernels.unaryMul(Fn.SILU, 2, 8))) {
            Buffer b = new Buffer("b", DType.BF16, Shape.of(8), 256);
            entries.add(((Launch) k.bind().apply(new GpuKernel.Places() {
                @Override
                public Buffer in(int i) {
                    return b;
                }

                @Override
                public Buffer out(int i) {
                    return b;
                }

                @Override
                public long scratch() {
                    return 0;
                }
            }).getFirst()).entry());
        }
        assertEquals(List.of("silu_forward_bf16", "quick_gelu_vjp_bf16", "gelu_gate_forward_bf16", "unary_forward_bf16",
                "unary_mul_forward_bf16"), entries);
    }
}
