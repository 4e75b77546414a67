// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.DotProductAttentionVjp;

/**
 * Attention on tensor cores where all sums are exact, so that every element must come out to the bit: an element in a wrong
 * place, or one left out,
 * shows. Operands are small integers; keys are a power of two, heads a power of four where a root of their size enters.
 */
@Tag("kernels")
class AttentionLayoutTest {
    private static final int BATCH = 2;
    private static final int HEADS = 2;
    private static final int N = 70;
    private static final int M = 64;

    record Case(DType dtype, int d) {
        Shape q() {
            return Shape.of(BATCH, N, HEADS * d);
        }

        Shape k() {
            return Shape.of(BATCH, M, HEADS * d);
        }
    }

    private static Stream<Case> cases(int... sizes) {
        return Stream.of(DType.F16, DType.BF16).flatMap(t -> Arrays.stream(sizes).mapToObj(d -> new Case(t, d)));
    }

    static Stream<Case> all() {
        return cases(40, 64, 72, 80, 96, 128, 160, 192);
    }

    static Stream<Case> powers() {
        return cases(16, 64, 256);
    }

    /** Integers of -r .. r in columns of a head that are wanted, else 0. */
    private static double[] integers(Case c, Shape s, long seed, int r, IntPredicate column) {
        Random random = new Random(seed);
        double[] x = new double[(int) s.size()];
        for (int i = 0; i < x.length; i++) {
            int v = random.nextInt(-r, r + 1);
            x[i] = column.test(i % c.d) ? v : 0;
        }
        return x;
    }

    private static int at(Case c, int tokens, int b, int token, int h) {
        return ((b * tokens + token) * HEADS + h) * c.d;
    }

    /** Queries 256 times a key each, keys of +-1: a weight of 1 for that key, 0 for others. */
    @ParameterizedTest
    @MethodSource("all")
    void forwardPicks(Case c) {
        double[] k = integers(c, c.k(), 1, 1, _ -> true);
        for (int i = 0; i < k.length; i++) {
            k[i] = k[i] == 0 ? 1 : k[i];
        }
        double[] v = integers(c, c.k(), 2, 100, _ -> true);
        double[] q = new double[(int) c.q().size()];
        double[] o = new double[q.length];
        for (int b = 0; b < BATCH; b++) {
            for (int i = 0; i < N; i++) {
                for (int h = 0; h < HEADS; h++) {
                    int from = at(c, M, b, (i * 29 + 7 * h + b) % M, h);
                    int to = at(c, N, b, i, h);
                    for (int x = 0; x < c.d; x++) {
                        q[to + x] = 256 * k[from + x];
                        o[to + x] = v[from + x];
                    }
                }
            }
        }
        check(c, forward(c), List.of(Tensor.of(c.q(), q), Tensor.of(c.k(), k), Tensor.of(c.k(), v)), List.of(o));
    }

    /** Scores of 0: the mean of all values. */
    @ParameterizedTest
    @MethodSource("all")
    void forwardAverages(Case c) {
        double[] v = integers(c, c.k(), 3, 3, _ -> true);
        double[] o = new double[(int) c.q().size()];
        add(c, o, v, (_, _, _, _) -> 1.0 / M, false);
        check(c, forward(c), List.of(Tensor.of(c.q(), new double[o.length]), Tensor.of(c.k(), integers(c, c.k(), 4, 9, _ ->
                true)), Tensor.of(c.k(), v)), List.of(o));
    }

    private static GpuKernel forward(Case c) {
        return AttentionKernels.forward(new DotProductAttention(HEADS, false), List.of(Type.real(c.q()), Type.real(c.k()),
                Type.real(c.k())));
    }

    /** Queries in the even columns, keys in the odd ones: all scores are 0, all weights 1/64. */
    @ParameterizedTest
    @MethodSource("powers")
    @Tag("sanitized")
    void pullBack(Case c) {
        double scale = 1 / Math.sqrt(c.d);
        double[] q = integers(c, c.q(), 5, 2, x -> x % 2 == 0);
        double[] k = integers(c, c.k(), 6, 2, x -> x % 2 == 1);
        double[] v = integers(c, c.k(), 7, 1, x -> x % 7 < 3);
        double[] o = integers(c, c.q(), 8, 1, x -> x % 7 < 3);
        double[] g = integers(c, c.q(), 9, 1, x -> x % 5 == 0);
        Weight ds = (b, h, i, j) -> {
            double sum = 0;
            for (int x = 0; x < c.d; x++) {
                sum += g[at(c, N, b, i, h) + x] * (v[at(c, M, b, j, h) + x] - o[at(c, N, b, i, h) + x]);
            }
            return sum / M;
        };
        List<double[]> expected = List.of(new double[q.length], new double[k.length], new double[k.length]);
        add(c, expected.get(0), k, (b, h, i, j) -> scale * ds.of(b, h, i, j), false);
        add(c, expected.get(1), q, (b, h, i, j) -> scale * ds.of(b, h, i, j), true);
        add(c, expected.get(2), g, (_, _, _, _) -> 1.0 / M, true);
        DotProductAttentionVjp op = new DotProductAttentionVjp(new DotProductAttention(HEADS, false), true);
        check(c, AttentionKernels.vjp(op, List.of(Type.real(c.q()))),
                List.of(Tensor.of(c.q(), q), Tensor.of(c.k(), k), Tensor.of(c.k(), v), Tensor.of(c.q(), o), lse(),
                        Tensor.of(c.q(), g)), expected);
    }

    /**
     * Repeats the check with tangents of few columns, so that 8 bits hold the differentials. The values cancel: o is 0, and so is
     * everything that is not rounded to 16 bits.
     */
    @ParameterizedTest
    @MethodSource("powers")
    void pushForward(Case c) {
        double scale = 1 / Math.sqrt(c.d);
        double[] q = integers(c, c.q(), 10, 1, x -> x % 2 == 0);
        double[] k = integers(c, c.k(), 11, 1, x -> x % 2 == 1);
        double[] v = integers(c, c.k(), 12, 3, _ -> true);
        for (int b = 0; b < BATCH; b++) {
            for (int i = 0; i < v.length / BATCH / 2; i++) {
                v[(2 * b + 1) * v.length / BATCH / 2 + i] = -v[b * v.length / BATCH + i];
            }
        }
        double[] tq = integers(c, c.q(), 14, 1, x -> x == 5);
        double[] tk = integers(c, c.k(), 15, 1, x -> x == 2);
        double[] tv = integers(c, c.k(), 16, 3, _ -> true);
        Weight t = (b, h, i, j) -> {
            double sum = 0;
            for (int x = 0; x < c.d; x++) {
                int query = at(c, N, b, i, h) + x;
                int key = at(c, M, b, j, h) + x;
                sum += tq[query] * k[key] + q[query] * tk[key];
            }
            return scale * sum / M;
        };
        double[] o = new double[q.length];
        double[] to = new double[q.length];
        add(c, to, v, t, false);
        add(c, to, tv, (_, _, _, _) -> 1.0 / M, false);
        DotProductAttentionJvp op = new DotProductAttentionJvp(new DotProductAttention(HEADS, false), true);
        check(c, AttentionKernels.jvp(op, List.of()), List.of(Tensor.of(c.q(), q), Tensor.of(c.k(), k), Tensor.of(c.k(), v),
                Tensor.of(c.q(), o), lse(),
                Tensor.of(c.q(), tq), Tensor.of(c.k(), tk), Tensor.of(c.k(), tv)), List.of(to));
    }

    private interface Weight {
        double of(int b, int h, int i, int j);
    }

    /** y += w x: rows of y are queries and of x keys, or the other way round. */
    private static void add(Case c, double[] y, double[] x, Weight w, boolean keys) {
        for (int b = 0; b < BATCH; b++) {
            for (int h = 0; h < HEADS; h++) {
                for (int i = 0; i < N; i++) {
                    for (int j = 0; j < M; j++) {
                        double f = w.of(b, h, i, j);
                        int query = at(c, N, b, i, h);
                        int key = at(c, M, b, j, h);
                        for (int e = 0; e < c.d; e++) {
                            y[(keys ? key : query) + e] += f * x[(keys ? query : key) + e];
                        }
                    }
                }
            }
        }
    }

    private static Tensor lse() {
        double[] x = new double[BATCH * HEADS * N];
        Arrays.fill(x, (float) Math.log(M));
        return Tensor.of(Shape.of(BATCH, HEADS, N), x);
    }

    /** Runs a kernel, its fifth operand if any being lse; results beyond those expected are lse. */
    private static void check(Case c, GpuKernel kernel, List<Tensor> in, List<double[]> expected) {
        try (KernelBench bench = new KernelBench()) {
            List<Buffer> b = new ArrayList<>();
            for (Tensor x : in) {
                b.add(bench.in("x" + b.size(), b.size() == 4 ? DType.F32 : c.dtype, x));
            }
            List<Buffer> out = new ArrayList<>();
            for (double[] y : expected) {
                out.add(bench.out("y" + out.size(), c.dtype, y.length == c.q().size() ? c.q() : c.k()));
            }
            if (in.size() == 3) {
                out.add(bench.out("lse", DType.F32, Shape.of(BATCH, HEADS, N)));
            }
            bench.run(kernel, b, out);
            for (int i = 0; i < expected.size(); i++) {
                double[] rounded = Arrays.stream(expected.get(i)).map(x -> Rounding.to(c.dtype, (float) x)).toArray();
                double[] actual = Arrays.stream(bench.read(out.get(i))).map(x -> x + 0.0).toArray(); // zeros have one sign
                assertArrayEquals(Arrays.stream(rounded).map(x -> x + 0.0).toArray(), actual, c + ", result " + i);
            }
        }
    }
}
