// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/**
 * One op on one set of shapes. The list is what derivative and conformance tests run over: an op added to the closed set gets
 * both by a
 * line here. The first {@code active} inputs are differentiable; the rest are weights or tables.
 */
public record OpCase(Op op, int active, List<Shape> in) {
    private static OpCase of(Op op, int active, int[]... shapes) {
        return new OpCase(op, active, Arrays.stream(shapes).map(Shape::of).toList());
    }

    private static int[] s(int... dims) {
        return dims;
    }

    public static Stream<OpCase> all() {
        List<OpCase> c = new ArrayList<>();
        for (Binary.Kind k : Binary.Kind.values()) {
            c.add(of(new Binary(k), 2, s(2, 3, 5, 7), s(2, 3, 5, 7)));
            c.add(of(new Binary(k), 2, s(2, 3, 5, 7), s(7)));
            c.add(of(new Binary(k), 2, s(2, 3, 5, 7), s(2, 1, 1, 7)));
            c.add(of(new Binary(k), 2, s(2, 1, 1, 1), s(2, 3, 5, 7)));
            c.add(of(new Binary(k), 2, s(65, 13), s()));
            c.add(of(new Binary(k), 2, s(3, 1), s(1, 65)));
        }
        for (Fn fn : Fn.values()) {
            for (int order = 0; order < Fn.MAX_ORDER; order++) {
                c.add(of(new Unary(fn, order), 1, s(3, 65)));
                c.add(of(new UnaryMul(fn, order), 2, s(3, 65), s(3, 65)));
            }
        }
        c.add(of(new Affine(1.5, -0.25), 1, s(13, 65)));
        c.add(of(new ReduceSum(List.of(1)), 1, s(3, 1025)));
        c.add(of(new ReduceSum(List.of(0)), 1, s(65, 13)));
        c.add(of(new ReduceSum(List.of(1, 2)), 1, s(2, 5, 7, 13)));
        c.add(of(new ReduceSum(List.of(1, 3)), 1, s(2, 7, 3, 5)));
        c.add(of(new ReduceSum(List.of(0, 1, 2, 3)), 1, s(2, 5, 7, 13)));
        c.add(of(new Broadcast(Shape.of(3, 5, 7)), 1, s(5, 1)));
        c.add(of(new Broadcast(Shape.of(13, 65)), 1, s()));
        c.add(of(new Reshape(Shape.of(5, 6)), 1, s(3, 10)));
        c.add(of(new Transpose(List.of(0, 2, 1, 3)), 1, s(2, 3, 5, 7)));
        c.add(of(new Transpose(List.of(1, 0)), 1, s(13, 65)));
        c.add(of(new Transpose(List.of(0, 3, 1, 2)), 1, s(2, 5, 6, 3)));
        c.add(of(new Concat(3), 3, s(2, 3, 5, 7), s(2, 3, 5, 1), s(2, 3, 5, 13)));
        c.add(of(new Concat(0), 2, s(1, 3, 5), s(2, 3, 5)));
        c.add(of(new Slice(3, 2, 6), 1, s(2, 3, 5, 7)));
        c.add(of(new Slice(0, 1, 2), 1, s(2, 3, 5)));
        c.add(of(new Pad(3, 1, 2), 1, s(2, 3, 5, 7)));
        c.add(of(new Pad(1, 0, 1), 1, s(2, 3, 5, 7)));
        c.add(of(new Softmax(), 1, s(3, 5, 77)));
        c.add(of(new Gather(), 0, s(11, 13)));
        c.add(of(new Upsample(2), 1, s(2, 3, 5, 7)));
        c.add(of(new SumPool(2), 1, s(2, 6, 10, 7)));
        for (boolean ta : new boolean[] {false, true}) {
            for (boolean tb : new boolean[] {false, true}) {
                c.add(of(new MatMul(ta, tb), 2, ta ? s(65, 13) : s(13, 65), tb ? s(3, 65) : s(65, 3)));
                c.add(of(new MatMul(ta, tb), 2, ta ? s(2, 3, 7, 5) : s(2, 3, 5, 7), tb ? s(2, 3, 13, 7) : s(2, 3, 7, 13)));
                c.add(of(new MatMul(ta, tb), 2, ta ? s(7, 5) : s(5, 7), tb ? s(3, 13, 7) : s(3, 7, 13)));
            }
        }
        c.add(of(new MatMul(false, true), 1, s(77, 48), s(32, 48), s(32)));
        c.add(of(new MatMul(false, true), 1, s(1, 320), s(65, 320), s(65)));
        convolutions(c);
        norms(c);
        attentions(c);
        gated(c);
        sampling(c);
        return c.stream();
    }

    /** Rows whose halves are no whole vectors, are shorter and longer than a vector and than a strip. */
    private static void gated(List<OpCase> c) {
        for (int[] x : new int[][] {s(2, 3, 26), s(5, 2), s(3, 64), s(2, 2 * 2051)}) {
            c.add(of(new Geglu(), 1, x));
        }
    }

    private static void sampling(List<OpCase> c) {
        for (int[] z : new int[][] {s(2, 3, 5, 4), s(1, 13), s(3, 7, 5)}) {
            int[] both = z.clone();
            both[0] *= 2;
            c.add(of(new TweedieMean(), 2, z, z, s(), s()));
            c.add(of(new DdimMove(), 2, z, z, s(), s(), s(), s()));
            c.add(of(new Guidance(7.5), 1, both));
            c.add(of(new GuidanceVjp(new Guidance(-0.5)), 1, z));
            c.add(of(new HutchinsonPair(), 2, z, z, s()));
            c.add(of(new HutchinsonPairVjp(), 1, both));
            c.add(of(new HutchinsonEstimate(-1), 3, z, both, z, s(), s(), s()));
            c.add(of(new HutchinsonEstimateVjp(0.75), 3, z, s(z[0]), z, s(), s()));
        }
    }

    private static void convolutions(List<OpCase> c) {
        Convolution same = new Convolution(1, 1, 1, 1, 1);
        Convolution down = new Convolution(2, 1, 1, 1, 1);
        Convolution downAsymmetric = new Convolution(2, 0, 0, 1, 1); // the VAE's
        c.add(of(same, 1, s(2, 5, 7, 3), s(13, 3, 3, 3), s(13)));
        c.add(of(same, 1, s(1, 8, 8, 32), s(16, 32, 3, 3)));
        c.add(of(new Convolution(1, 0, 0, 0, 0), 1, s(2, 5, 7, 13), s(4, 13, 1, 1), s(4)));
        c.add(of(down, 1, s(2, 6, 8, 5), s(7, 5, 3, 3), s(7)));
        c.add(of(downAsymmetric, 1, s(2, 6, 8, 5), s(7, 5, 3, 3), s(7)));
        c.add(of(new Convolution(1, 0, 0, 0, 0), 1, s(3, 12, 9, 1), s(1, 1, 5, 4)));
        c.add(of(new ConvolutionVjp(same, 5, 7), 1, s(2, 5, 7, 13), s(13, 3, 3, 3)));
        c.add(of(new ConvolutionVjp(down, 6, 8), 1, s(2, 3, 4, 7), s(7, 5, 3, 3)));
        c.add(of(new ConvolutionVjp(downAsymmetric, 6, 8), 1, s(2, 3, 4, 7), s(7, 5, 3, 3)));
        c.add(of(new ConvolutionVjp(new Convolution(1, 0, 0, 0, 0), 12, 9), 1, s(3, 8, 6, 1), s(1, 1, 5, 4)));
    }

    private static void norms(List<OpCase> c) {
        for (boolean silu : new boolean[] {false, true}) {
            GroupNormalization g = new GroupNormalization(4, 1e-5, silu);
            c.add(of(g, 1, s(2, 5, 7, 12), s(12), s(12)));
            c.add(of(new GroupNormalization(32, 1e-6, silu), 1, s(2, 3, 5, 64), s(64), s(64)));
        }
        c.add(of(new GroupNormalization(1, 1e-5, false), 1, s(13, 1, 65), s(65), s(65)));
    }

    private static void attentions(List<OpCase> c) {
        c.add(of(new DotProductAttention(3, false), 3, s(2, 13, 15), s(2, 7, 15), s(2, 7, 15)));
        c.add(of(new DotProductAttention(2, false), 3, s(2, 65, 80), s(2, 77, 80), s(2, 77, 80)));
        c.add(of(new DotProductAttention(2, true), 3, s(2, 13, 16), s(2, 13, 16), s(2, 13, 16)));
        c.add(of(new DotProductAttention(1, false), 3, s(1, 64, 32), s(1, 64, 32), s(1, 64, 32)));
    }

    /** The op as a program with inputs x0, x1, .. for what is differentiable, constants for the rest, and outputs y0, y1, ... */
    public Program program(long seed) {
        Tracer t = new Tracer(op.toString());
        Value[] args = new Value[in.size() + (op instanceof Gather ? 1 : 0)];
        for (int i = 0; i < in.size(); i++) {
            args[i] = i < active ? t.input("x" + i, Type.real(in.get(i))) : t.constant("w" + i, random(in.get(i), seed + 100
                    + i));
        }
        if (op instanceof Gather) {
            args[1] = t.input("ids", new Type(DType.I64, Shape.of(2, 5)));
        }
        List<Value> out = t.emit(op, args);
        for (int i = 0; i < out.size(); i++) {
            t.output("y" + i, out.get(i));
        }
        return t.finish();
    }

    /** Inputs for {@link #program}: values between 0.2 and 2 in size, positive where a root or a quotient needs it. */
    public Map<String, Tensor> inputs(long seed) {
        Map<String, Tensor> m = new HashMap<>();
        for (int i = 0; i < active; i++) {
            Tensor x = random(in.get(i), seed + i);
            m.put("x" + i, positive() ? Tensor.of(x.shape(), Arrays.stream(x.doubles()).map(v -> Math.abs(v) + 0.5).toArray())
                    : x);
        }
        if (op instanceof Gather) {
            m.put("ids", Tensor.of(Shape.of(2, 5), 0L, 10, 3, 3, 1, 7, 2, 9, 5, 4));
        }
        return m;
    }

    private boolean positive() {
        return op instanceof Binary b && b.kind() == Binary.Kind.DIV
                || op instanceof Unary u && (u.fn() == Fn.SQRT || u.fn() == Fn.RSQRT)
                || op instanceof UnaryMul m && (m.fn() == Fn.SQRT || m.fn() == Fn.RSQRT);
    }

    /** Standard normal numbers, exact in F32 so that every device starts from the same. */
    public static Tensor random(Shape shape, long seed) {
        Random r = new Random(seed);
        double[] x = new double[(int) shape.size()];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) r.nextGaussian();
        }
        return Tensor.of(shape, x);
    }

    @Override
    public String toString() {
        return op + " " + in;
    }
}
