// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.DotProductAttentionVjp;
import org.tweedie.program.op.Op;

/**
 * Attention, its pull-back and its push-forward on the PTX machine against reference in double from the operands as stored.
 * Budget, in Euclidean
 * norms: F32 1e-5 of the result; 16 bits twice what {@link PlainAttention} loses, and that.
 */
@Tag("kernels")
class AttentionKernelsTest {
    record Case(DType dtype, int heads, int d, int n, int m, boolean causal) {
        DotProductAttention op() {
            return new DotProductAttention(heads, causal);
        }

        Shape q() {
            return Shape.of(2, n, heads * d);
        }

        Shape k() {
            return Shape.of(2, m, heads * d);
        }

        PlainAttention plain(List<Tensor> in) {
            return new PlainAttention(op(), dtype, in.get(0), in.get(1));
        }
    }

    static Stream<Case> cases() {
        List<Case> c = new ArrayList<>();
        for (DType t : OneOp.REALS) {
            for (int d : new int[] {40, 64, 80, 96, 128, 160}) {
                c.add(new Case(t, 1, d, 65, 77, false));
            }
            c.add(new Case(t, 2, 40, 13, 1, false));
            c.add(new Case(t, 2, 8, 1, 3, false));
            c.add(new Case(t, 3, 5, 13, 7, false));
            c.add(new Case(t, 2, 24, 77, 77, true));
            c.add(new Case(t, 1, 64, 77, 77, true)); // CLIP
            c.add(new Case(t, 1, 80, 130, 67, false));
            c.add(new Case(t, 2, 168, 33, 35, false)); // beyond what stays in shared memory
            c.add(new Case(t, 1, 264, 13, 13, true));
        }
        return c.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void forward(Case c) {
        List<Tensor> in = operands(c, 1, c.q(), c.k(), c.k());
        check(c, "forward", in, reference(c.op(), in), List.of(c.plain(in).forward(in)), (bench, b, out) ->
                bench.run(AttentionKernels.forward(c.op(), types(b)), b, out), 1);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pullBack(Case c) {
        for (boolean keys : new boolean[] {false, true}) {
            DotProductAttentionVjp op = new DotProductAttentionVjp(c.op(), keys);
            List<Tensor> in = withResults(c, operands(c, 2, c.q(), c.k(), c.k()), operands(c, 9, c.q()));
            check(c, "pull-back", in, reference(op, in), c.plain(in).vjp(in), (bench, b, out) ->
                    bench.run(AttentionKernels.vjp(op, types(b)), b, out), -1);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pushForward(Case c) {
        for (boolean keys : new boolean[] {false, true}) {
            DotProductAttentionJvp op = new DotProductAttentionJvp(c.op(), keys);
            List<Tensor> tangents = keys ? operands(c, 19, c.q(), c.k(), c.k()) : operands(c, 19, c.q());
            List<Tensor> in = withResults(c, operands(c, 3, c.q(), c.k(), c.k()), tangents);
            check(c, "push-forward", in, reference(op, in), List.of(c.plain(in).jvp(in, tangents)),
                    (bench, b, out) -> bench.run(AttentionKernels.jvp(op, types(b)), b, out), -1);
        }
    }

    /** Value and tangent through one online softmax. */
    @ParameterizedTest
    @MethodSource("cases")
    void both(Case c) {
        for (boolean keys : new boolean[] {false, true}) {
            DotProductAttentionJvp op = new DotProductAttentionJvp(c.op(), keys);
            List<Tensor> x = operands(c, 4, c.q(), c.k(), c.k());
            List<Tensor> tangents = keys ? operands(c, 29, c.q(), c.k(), c.k()) : operands(c, 29, c.q());
            List<Tensor> expected = new ArrayList<>(reference(c.op(), x));
            expected.addAll(reference(op, withExact(c, x, tangents)));
            List<Tensor> in = new ArrayList<>(x);
            in.addAll(tangents);
            check(c, "dual", in, expected, List.of(c.plain(x).forward(x), new double[0], c.plain(x).jvp(x, tangents)),
                    (bench, b, out) -> bench.run(AttentionKernels.dual(op), b, out), 1);
        }
    }

    /** Scores whose tangents share a large term that cancels: the kernels must not lose it in 16 bits. */
    @ParameterizedTest
    @MethodSource("halves")
    @Tag("sanitized")
    void commonTangents(DType type) {
        Case c = new Case(type, 1, 64, 40, 50, false);
        DotProductAttentionJvp op = new DotProductAttentionJvp(c.op(), false);
        List<Tensor> x = operands(c, 5, c.q(), c.k(), c.k());
        double[] k = x.get(1).doubles();
        for (int i = 0; i < k.length; i++) {
            k[i] += 4;
        }
        x.set(1, OneOp.stored(Tensor.of(c.k(), k), type));
        List<Tensor> tangents = operands(c, 39, c.q());
        List<Tensor> in = withResults(c, x, tangents);
        check(c, "push-forward", in, reference(op, in), List.of(c.plain(in).jvp(in, tangents)), (bench, b, out) ->
                bench.run(AttentionKernels.jvp(op, types(b)), b, out), -1);
    }

    static List<DType> halves() {
        return List.of(DType.F16, DType.BF16);
    }

    private interface Run {
        void on(KernelBench bench, List<Buffer> in, List<Buffer> out);
    }

    /**
     * @param plain results of the plain evaluation, empty for lse
     * @param lse which result is lse, held in F32; -1: none. The pull-back's and push-forward's fifth operand is lse
     */
    private static void check(Case c, String what, List<Tensor> in, List<Tensor> expected, List<double[]> plain, Run run,
            int lse) {
        try (KernelBench bench = new KernelBench()) {
            List<Buffer> b = new ArrayList<>();
            for (Tensor x : in) {
                b.add(bench.in("x" + b.size(), lse < 0 && b.size() == 4 ? DType.F32 : c.dtype, x));
            }
            List<Buffer> out = new ArrayList<>();
            for (Tensor y : expected) {
                out.add(bench.out("y" + out.size(), out.size() == lse ? DType.F32 : c.dtype, y.shape()));
            }
            run.on(bench, b, out);
            for (int i = 0; i < out.size(); i++) {
                double[] y = expected.get(i).doubles();
                // one key: the softmax is constant and its derivative cancels to nothing; then the unit operands are the measure
                double norm = distance(y, new double[y.length]);
                double budget = 1e-5 * (norm < 1e-9 ? Math.sqrt(y.length) : norm) + (c.dtype == DType.F32 || i == lse ? 0
                        : 2 * distance(y, plain.get(i)));
                double error = distance(y, bench.read(out.get(i)));
                assertTrue(error <= budget, what + " of " + c + ", result " + i + ": error " + error + ", budget " + budget
                        + ", norm " + norm);
            }
        }
    }

    private static double distance(double[] x, double[] y) {
        assertEquals(x.length, y.length);
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += (x[i] - y[i]) * (x[i] - y[i]);
        }
        return Math.sqrt(sum);
    }

    private static List<Type> types(List<Buffer> b) {
        return b.stream().map(x -> Type.real(x.shape())).toList();
    }

    private static List<Tensor> operands(Case c, long seed, Shape... shapes) {
        List<Tensor> x = new ArrayList<>();
        for (Shape s : shapes) {
            x.add(OneOp.stored(OpCase.random(s, seed + x.size()), c.dtype));
        }
        return x;
    }

    /** Adds o as it is stored and lse, then what follows. */
    private static List<Tensor> withResults(Case c, List<Tensor> x, List<Tensor> more) {
        List<Tensor> y = reference(c.op(), x);
        List<Tensor> all = new ArrayList<>(x);
        all.add(OneOp.stored(y.get(0), c.dtype));
        all.add(OneOp.stored(y.get(1), DType.F32));
        all.addAll(more);
        return all;
    }

    private static List<Tensor> withExact(Case c, List<Tensor> x, List<Tensor> more) {
        List<Tensor> all = new ArrayList<>(x);
        all.addAll(reference(c.op(), x));
        all.addAll(more);
        return all;
    }

    private static List<Tensor> reference(Op op, List<Tensor> in) {
        Tracer t = new Tracer(op.toString());
        Map<String, Tensor> inputs = new HashMap<>();
        Value[] v = new Value[in.size()];
        for (int i = 0; i < v.length; i++) {
            v[i] = t.input("x" + i, Type.real(in.get(i).shape()));
            inputs.put("x" + i, in.get(i));
        }
        List<Value> out = t.emit(op, v);
        for (int i = 0; i < out.size(); i++) {
            t.output("y" + i, out.get(i));
        }
        Map<String, Tensor> y = new ReferenceDevice().compile(t.finish()).run(inputs);
        return java.util.stream.IntStream.range(0, out.size()).mapToObj(i -> y.get("y" + i)).toList();
    }
}
