// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Attention;
import org.tweedie.program.op.AttentionJvp;
import org.tweedie.program.op.AttentionVjp;
import org.tweedie.program.op.Op;

/**
 * Attention, its pull-back and its push-forward on the PTX machine against reference in double from the operands as stored. Budget: F32 1e-5 of
 * the norm; 16 bits: 3 unit roundoffs (2^-11, 2^-8) of the norm, the unfused evaluation with weights and result rounded once each losing about 1.2.
 */
class AttentionsTest {
    record Case(DType dtype, int heads, int d, int n, int m, boolean causal) {
        Attention op() {
            return new Attention(heads, causal);
        }

        Shape q() {
            return Shape.of(2, n, heads * d);
        }

        Shape k() {
            return Shape.of(2, m, heads * d);
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
            c.add(new Case(t, 1, 80, 130, 67, false));
        }
        return c.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void forward(Case c) {
        Op op = c.op();
        List<Tensor> in = operands(c, 1, c.q(), c.k(), c.k());
        check(c, "forward", in, reference(op, in), (bench, b, out) -> bench.run(Attentions.forward(c.op(), types(b)), b, out), 1);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pullBack(Case c) {
        for (boolean keys : new boolean[] {false, true}) {
            AttentionVjp op = new AttentionVjp(c.op(), keys);
            List<Tensor> in = withResults(c, operands(c, 2, c.q(), c.k(), c.k()), operands(c, 9, c.q()));
            check(c, "pull-back", in, reference(op, in), (bench, b, out) -> bench.run(Attentions.vjp(op, types(b)), b, out), -1);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pushForward(Case c) {
        for (boolean keys : new boolean[] {false, true}) {
            AttentionJvp op = new AttentionJvp(c.op(), keys);
            List<Tensor> tangents = keys ? operands(c, 19, c.q(), c.k(), c.k()) : operands(c, 19, c.q());
            List<Tensor> in = withResults(c, operands(c, 3, c.q(), c.k(), c.k()), tangents);
            check(c, "push-forward", in, reference(op, in), (bench, b, out) -> bench.run(Attentions.jvp(op, types(b)), b, out), -1);
        }
    }

    /** Value and tangent through one online softmax. */
    @ParameterizedTest
    @MethodSource("cases")
    void both(Case c) {
        AttentionJvp op = new AttentionJvp(c.op(), true);
        List<Tensor> x = operands(c, 4, c.q(), c.k(), c.k());
        List<Tensor> tangents = operands(c, 29, c.q(), c.k(), c.k());
        List<Tensor> expected = new ArrayList<>(reference(c.op(), x));
        List<Tensor> all = withExact(c, x, tangents);
        expected.addAll(reference(op, all));
        List<Tensor> in = new ArrayList<>(x);
        in.addAll(tangents);
        check(c, "dual", in, expected, (bench, b, out) -> bench.run(Attentions.dual(op), b, out), 1);
    }

    private interface Run {
        void on(KernelBench bench, List<Buffer> in, List<Buffer> out);
    }

    /** @param lse which result is lse, held in F32; -1: none. The pull-back's and push-forward's fifth operand is lse */
    private static void check(Case c, String what, List<Tensor> in, List<Tensor> expected, Run run, int lse) {
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
                double error = error(expected.get(i).doubles(), bench.read(out.get(i)));
                double budget = c.dtype == DType.F32 ? 1e-5 : 3 * (c.dtype == DType.F16 ? 0x1p-11 : 0x1p-8);
                assertTrue(error <= budget, what + " of " + c + ", result " + i + ": relative error " + error + ", budget " + budget);
            }
        }
    }

    private static double error(double[] expected, double[] actual) {
        assertEquals(expected.length, actual.length);
        double norm = 0;
        double off = 0;
        for (int i = 0; i < expected.length; i++) {
            norm += expected[i] * expected[i];
            off += (actual[i] - expected[i]) * (actual[i] - expected[i]);
        }
        // one key: the softmax is constant and its derivative cancels to nothing; then the unit operands are the measure
        return Math.sqrt(off / (norm < 1e-9 ? expected.length : norm));
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
