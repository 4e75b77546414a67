// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.GroupNormalization;
import org.tweedie.program.op.GroupNormalizationJvp;
import org.tweedie.program.op.GroupNormalizationVjp;
import org.tweedie.program.op.Op;

/**
 * kernels/norm.cu, layernorm.cu and norm_strips.cu on the PTX machine against the reference device: result, VJP, with and
 * without a summand, JVP, and result and JVP at once.
 */
@Tag("kernels")
class NormKernelsTest {
    /** Makes a norm's kernel. */
    private interface Maker {
        GpuKernel of(GroupNormalization op, Shape x, NormKernels.Form form);
    }

    private record Case(String kernels, Maker maker, GroupNormalization op, Shape shape) {
        Tensor x() {
            return OpCase.random(shape, 1);
        }

        Tensor t() {
            return OpCase.random(shape, 2);
        }

        Tensor gamma() {
            return OpCase.random(Shape.of(shape.dim(-1)), 3);
        }

        Tensor beta() {
            return OpCase.random(Shape.of(shape.dim(-1)), 4);
        }

        /** What is added to the pull-back. */
        Tensor plus() {
            return OpCase.random(shape, 5);
        }

        GpuKernel kernel(NormKernels.Form form) {
            return maker.of(op, shape, form);
        }

        @Override
        public String toString() {
            return kernels + " " + op + " " + shape;
        }
    }

    private static GpuKernel chosen(GroupNormalization op, Shape x, NormKernels.Form form) {
        return switch (form) {
            case FORWARD -> NormKernels.forward(op, x);
            case VJP -> NormKernels.vjp(op, x);
            case VJP_PLUS -> NormKernels.vjpPlus(op, x);
            case JVP -> NormKernels.jvp(op, x);
            case DUAL -> NormKernels.dual(op, x);
        };
    }

    /**
     * The common cases; groups of odd width, of one element, of many channels; rows that a warp holds and longer ones; strips
     * whole and ragged.
     */
    private static List<Case> cases() {
        List<Case> c = new ArrayList<>();
        OpCase.all().filter(o -> o.op() instanceof GroupNormalization).forEach(o -> c.add(new Case("chosen",
                NormKernelsTest::chosen, (GroupNormalization) o.op(), o.in().getFirst())));
        for (boolean silu : new boolean[] {false, true}) {
            for (Shape s : List.of(Shape.of(2, 3, 5, 50), Shape.of(3, 1, 1, 45), Shape.of(1, 9, 5), Shape.of(2, 1, 1, 5),
                    Shape.of(1, 3, 3, 160))) {
                c.add(new Case("chosen", NormKernelsTest::chosen, new GroupNormalization(5, 1e-5, silu), s));
            }
            for (Shape s : List.of(Shape.of(2, 33, 31, 3), Shape.of(1, 3, 2500))) {
                c.add(new Case("chosen", NormKernelsTest::chosen, new GroupNormalization(1, 1e-6, silu), s));
            }
            c.add(new Case("strips", NormStrips::of, new GroupNormalization(4, 1e-5, silu), Shape.of(2, 5, 7, 16)));
            c.add(new Case("strips", NormStrips::of, new GroupNormalization(32, 1e-6, silu), Shape.of(2, 17, 31, 64)));
            c.add(new Case("strips", NormStrips::of, new GroupNormalization(4, 1e-6, silu), Shape.of(1, 129, 40)));
            c.add(new Case("strips", NormStrips::of, new GroupNormalization(4, 1e-6, silu), Shape.of(1, 131, 520)));
            c.add(new Case("strips", NormStrips::of, new GroupNormalization(1, 1e-6, silu), Shape.of(1, 1, 8)));
        }
        for (int n : new int[] {8, 64, 65, 320, 1280, 1288}) {
            c.add(new Case("chosen", NormKernelsTest::chosen, new GroupNormalization(1, 1e-5, false), Shape.of(7, 1, n)));
        }
        return c;
    }

    static Stream<Arguments> runs() {
        return cases().stream().flatMap(c -> OneOp.REALS.stream().map(t -> Arguments.of(c, t)));
    }

    @ParameterizedTest
    @MethodSource("runs")
    void agreesWithReference(Case c, DType real) {
        Tensor y = expected(c.op, c, real, false);
        Tensor dx = expected(new GroupNormalizationVjp(c.op), c, real, true);
        Tensor ty = expected(new GroupNormalizationJvp(c.op), c, real, true);
        List<Tensor> in = List.of(c.x(), c.gamma(), c.beta(), c.t());
        OneOp.check(c + " forward", c.kernel(NormKernels.Form.FORWARD), real, in.subList(0, 3), List.of(y));
        OneOp.check(c + " pull-back", c.kernel(NormKernels.Form.VJP), real, in, List.of(dx));
        OneOp.check(c + " pull-back and more", c.kernel(NormKernels.Form.VJP_PLUS), real, List.of(c.x(), c.gamma(), c.beta(),
                c.t(), c.plus()),
                List.of(sum(dx, OneOp.stored(c.plus(), real))));
        OneOp.check(c + " push-forward", c.kernel(NormKernels.Form.JVP), real, in, List.of(ty));
        OneOp.check(c + " both", c.kernel(NormKernels.Form.DUAL), real, in, List.of(y, ty));
    }

    private static Tensor expected(Op op, Case c, DType real, boolean derivative) {
        Tensor[] in = derivative ? new Tensor[] {c.x(), c.gamma(), c.beta(), c.t()} : new Tensor[] {c.x(), c.gamma(), c.beta()};
        return Tensor.of(c.shape, OneOp.reference(op, real, in));
    }

    private static Tensor sum(Tensor a, Tensor b) {
        double[] y = a.doubles();
        double[] more = b.doubles();
        Arrays.setAll(y, i -> y[i] + more[i]);
        return Tensor.of(a.shape(), y);
    }

    @ParameterizedTest
    @MethodSource("runs")
    void runsInPlace(Case c, DType real) {
        List<Tensor> in = List.of(c.x(), c.gamma(), c.beta(), c.t());
        OneOp.checkInPlace(c + " forward", c.kernel(NormKernels.Form.FORWARD), real, in.subList(0, 3), List.of(c.x()), 0);
        for (int over : new int[] {0, 3}) {
            OneOp.checkInPlace(c + " pull-back", c.kernel(NormKernels.Form.VJP), real, in, List.of(c.x()), over);
            OneOp.checkInPlace(c + " push-forward", c.kernel(NormKernels.Form.JVP), real, in, List.of(c.x()), over);
            OneOp.checkInPlace(c + " both", c.kernel(NormKernels.Form.DUAL), real, in, List.of(c.x(), c.x()), over, 3 - over);
        }
        List<Tensor> more = List.of(c.x(), c.gamma(), c.beta(), c.t(), c.plus());
        for (int over : new int[] {0, 3, 4}) {
            OneOp.checkInPlace(c + " pull-back and more", c.kernel(NormKernels.Form.VJP_PLUS), real, more, List.of(c.x()), over);
        }
    }

    /**
     * A mean a hundred times the deviation, where squares less the squared mean would keep three digits in F32: the bound is
     * that of other data.
     */
    @Test
    @Tag("sanitized")
    void largeMeansCostNoDigits() {
        for (Case c : List.of(new Case("chosen", NormKernelsTest::chosen, new GroupNormalization(2, 1e-6, false), Shape.of(1, 9,
                11, 8)),
                new Case("chosen", NormKernelsTest::chosen, new GroupNormalization(1, 1e-6, false), Shape.of(5, 1, 320)),
                new Case("strips", NormStrips::of, new GroupNormalization(2, 1e-6, false), Shape.of(1, 23, 41, 64)))) {
            Tensor x = Tensor.of(c.shape, Arrays.stream(c.x().doubles()).map(v -> v + 100).toArray());
            double[] y = OneOp.reference(c.op, DType.F32, x, c.gamma(), c.beta());
            OneOp.check(c + " far from 0", c.kernel(NormKernels.Form.FORWARD), DType.F32, List.of(x, c.gamma(), c.beta()),
                    List.of(Tensor.of(c.shape, y)));
            double[] ty = OneOp.reference(new GroupNormalizationJvp(c.op), DType.F32, x, c.gamma(), c.beta(), c.t());
            OneOp.check(c + " far from 0, tangent", c.kernel(NormKernels.Form.JVP), DType.F32, List.of(x, c.gamma(), c.beta(),
                    c.t()),
                    List.of(Tensor.of(c.shape, ty)));
        }
    }

    /** Stable Diffusion's sizes: layers of the UNet, a deep one, the decoder's last. */
    @Test
    void kernelsAreChosenBySize() {
        assertEquals(List.of("layernorm_forward_f16"), entries(NormKernels.forward(new GroupNormalization(1, 1e-5, false),
                Shape.of(8192, 1, 320))));
        assertEquals(List.of("groupnorm_silu_vjp_f16"), entries(NormKernels.vjp(new GroupNormalization(32, 1e-5, true),
                Shape.of(2, 16, 16, 1280))));
        assertEquals(List.of("groupnorm_strips_f16", "groupnorm_statistics", "groupnorm_silu_forward_apply_f16"),
                entries(NormKernels.forward(new GroupNormalization(32, 1e-6, true), Shape.of(1, 512, 512, 128))));
        assertEquals(List.of("groupnorm_strips_f16", "groupnorm_statistics", "groupnorm_jvp_strips_f16", "groupnorm_projections",
                "groupnorm_silu_jvp_apply_f16"),
                entries(NormKernels.jvp(new GroupNormalization(32, 1e-6, true), Shape.of(1, 512, 512, 128))));
        assertEquals(512L * 128 * 8 + 2 * 256, NormKernels.jvp(new GroupNormalization(32, 1e-6, true), Shape.of(1, 512, 512, 128))
                .scratch());
    }

    private static List<String> entries(GpuKernel k) {
        return steps(k, DType.F16, DType.F16).stream().map(s -> ((Launch) s).entry()).toList();
    }

    private static List<PlanStep> steps(GpuKernel k, DType in, DType out) {
        return k.bind().apply(new GpuKernel.Places() {
            @Override
            public Buffer in(int i) {
                return new Buffer("x" + i, in, Shape.of(1), 256);
            }

            @Override
            public Buffer out(int i) {
                return new Buffer("y" + i, out, Shape.of(1), 512);
            }

            @Override
            public long scratch() {
                return 1024;
            }
        });
    }

    @Test
    void mixedTypesAreRefused() {
        GpuKernel k = NormKernels.forward(new GroupNormalization(2, 1e-5, false), Shape.of(1, 2, 2, 8));
        assertEquals("group norm: expected all of F32, all of F16 or all of BF16, got "
                + "[x0:F16[1], x1:F16[1], x2:F16[1], y0:F32[1]]",
                assertThrows(IllegalArgumentException.class, () -> steps(k, DType.F16, DType.F32)).getMessage());
    }
}
