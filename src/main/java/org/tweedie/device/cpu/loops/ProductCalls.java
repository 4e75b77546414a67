// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.MatMul;

/**
 * Computes convolutions and matrix products with oneDNN. Constant weights are laid out once as the primitive wants them, others
 * at each run. Where memory is spared, matrices stay row-major, which serves both directions, and a convolution's pull-back lays
 * out the forward weights anew at each run.
 */
public final class ProductCalls {
    private final Primitives p;
    private final boolean spare;
    private final Constants constants;
    /** The descriptors by all that they depend on: layers of one shape share one, which takes a third of a megabyte. */
    private final Map<List<Object>, Primitives.Descriptor> known = new HashMap<>();

    /** Provides constants that are packed in one layout and held until the executable closes. */
    public interface Constants {
        long packed(Tensor t, long from, long to);
    }

    public ProductCalls(Primitives p, boolean spare, Constants constants) {
        this.p = p;
        this.spare = spare;
        this.constants = constants;
    }

    /** Describes an image. oneDNN names axes [B,C,H,W] whatever their order in memory is; ours is [B,H,W,C]. */
    private long image(Shape s) {
        long h = s.dim(1);
        long w = s.dim(2);
        long c = s.dim(3);
        return p.layout(new long[] {s.dim(0), c, h, w}, new long[] {h * w * c, 1, w * c, c});
    }

    /**
     * Returns the kernel of a convolution.
     *
     * @param weights the weight where it is a constant, else null
     */
    public CpuKernel conv2d(Convolution op, List<Type> in, Shape out, Tensor weights) {
        Shape w = in.get(1).shape();
        long src = image(in.get(0).shape());
        long dst = image(out);
        long bias = in.size() == 3 ? p.dense(w.dim(0)) : 0;
        Primitives.Descriptor d = known.computeIfAbsent(List.of("forward", op, in, out),
                k -> p.convolution(src, anyWeights(w), bias, dst, op.stride(), before(op), after(op)));
        return withWeights(d, p.dense(w.dim(0), w.dim(1), w.dim(2), w.dim(3)), weights, Primitives.SRC, src, Primitives.DST, dst,
                bias);
    }

    /**
     * Returns the kernel of a convolution's pull-back, which is oneDNN's backward-data primitive. At stride 1 that is its forward
     * kernel on mirrored weights, which is as fast as a forward convolution with weights that we mirror (measured on 3x3 at 32 to
     * 1280 channels), so there is no code for the latter.
     */
    public CpuKernel conv2dVjp(Convolution op, List<Type> in, Shape out, Tensor weights) {
        Shape w = in.get(1).shape();
        long diffDst = image(in.get(0).shape());
        long diffSrc = image(out);
        Primitives.Descriptor forward = known.computeIfAbsent(List.of("hint", op, in, out),
                k -> p.convolution(diffSrc, anyWeights(w), 0, diffDst, op.stride(), before(op), after(op)));
        Primitives.Descriptor d = known.computeIfAbsent(List.of("vjp", op, in, out),
                k -> p.convolutionVjp(diffSrc, anyWeights(w), diffDst, op.stride(), before(op), after(op), forward));
        long plain = p.dense(w.dim(0), w.dim(1), w.dim(2), w.dim(3));
        if (spare && weights != null) {
            long shared = Primitives.weights(forward);
            return laidOutAtEachRun(d, shared, at -> constants.packed(weights, plain, shared), Primitives.DIFF_DST, diffDst,
                    Primitives.DIFF_SRC, diffSrc, 0);
        }
        return withWeights(d, plain, weights, Primitives.DIFF_DST, diffDst, Primitives.DIFF_SRC, diffSrc, 0);
    }

    private long anyWeights(Shape w) {
        return p.any(w.dim(0), w.dim(1), w.dim(2), w.dim(3));
    }

    private static long[] before(Convolution op) {
        return new long[] {op.top(), op.left()};
    }

    private static long[] after(Convolution op) {
        return new long[] {op.bottom(), op.right()};
    }

    /** Returns the kernel of a matrix product over leading axes that broadcast. */
    public CpuKernel matmul(MatMul op, List<Type> in, Shape out, Tensor weights) {
        int rank = out.rank();
        Shape sb = in.get(1).shape();
        long a = matrix(in.get(0).shape(), op.transA(), rank);
        long b = matrix(sb, op.transB(), rank);
        long c = p.dense(longs(out));
        long bias = in.size() == 3 ? p.dense(longs(ones(rank).with(rank - 1, out.dim(-1)))) : 0;
        boolean pack = weights != null && !spare && sb.rank() == 2 && rank == 2;
        Primitives.Descriptor d = known.computeIfAbsent(List.of(pack, op, in, out), k -> p.matmul(a,
                pack ? p.any(out.dim(-1) == 0 ? 0 : inner(in, op), out.dim(-1)) : b, bias, c, false));
        if (pack) {
            return withWeights(d, b, weights, Primitives.SRC, a, Primitives.DST, c, bias);
        }
        return new CpuKernel(d.scratch(), at -> {
            long[] args = {Primitives.SRC, p.memory(a, at.in(0)), Primitives.WEIGHTS, p.memory(b, at.in(1)), Primitives.DST,
                    p.memory(c, at.out(0))};
            return p.prepare(d, at.scratch(), bias == 0 ? args : with(args, Primitives.BIAS, p.memory(bias, at.in(2))));
        });
    }

    private static long inner(List<Type> in, MatMul op) {
        return in.get(0).shape().dim(op.transA() ? -2 : -1);
    }

    private static Shape ones(int rank) {
        int[] d = new int[rank];
        Arrays.fill(d, 1);
        return Shape.of(d);
    }

    private static long[] longs(Shape s) {
        return Arrays.stream(s.dims()).asLongStream().toArray();
    }

    /**
     * Describes an operand; leading extents of 1 fill it up to the given rank, and its last two axes are exchanged if {@code
     * transposed}.
     */
    private long matrix(Shape s, boolean transposed, int rank) {
        long[] dims = new long[rank];
        long[] strides = new long[rank];
        long n = 1;
        for (int i = 1; i <= rank; i++) {
            dims[rank - i] = i <= s.rank() ? s.dim(-i) : 1;
            strides[rank - i] = n;
            n *= dims[rank - i];
        }
        if (transposed) {
            swap(dims);
            swap(strides);
        }
        return p.layout(dims, strides);
    }

    private static void swap(long[] x) {
        long last = x[x.length - 1];
        x[x.length - 1] = x[x.length - 2];
        x[x.length - 2] = last;
    }

    private static long[] with(long[] args, long... more) {
        long[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return all;
    }

    /**
     * Returns the kernel of a primitive that chose the layout of its weights (input 1): they are laid out now if they are
     * constant, otherwise before each run.
     */
    private CpuKernel withWeights(Primitives.Descriptor d, long plain, Tensor weights, int fromArg, long from, int toArg, long to,
            long bias) {
        if (weights == null) {
            return laidOutAtEachRun(d, plain, at -> at.in(1), fromArg, from, toArg, to, bias);
        }
        long layout = Primitives.weights(d);
        return new CpuKernel(d.scratch(), at -> p.prepare(d, at.scratch(),
                arguments(at, fromArg, from, layout, constants.packed(weights, plain, layout), toArg, to, bias)));
    }

    /**
     * Returns the kernel of a primitive whose weights are laid out before each run.
     *
     * @param source the address of the weights, which have the layout {@code given}
     */
    private CpuKernel laidOutAtEachRun(Primitives.Descriptor d, long given, ToLongFunction<CpuKernel.Places> source, int fromArg,
            long from,
                                    int toArg, long to, long bias) {
        long layout = Primitives.weights(d);
        Primitives.Descriptor reorder = p.reorder(given, layout);
        long packedBytes = Native.roundUp(Primitives.bytes(layout));
        long reorderBytes = Native.roundUp(reorder.scratch());
        return new CpuKernel(packedBytes + reorderBytes + d.scratch(), at -> {
            Runnable pack = p.prepare(reorder, at.scratch() + packedBytes,
                    Primitives.SRC, p.memory(given, source.applyAsLong(at)), Primitives.DST, p.memory(layout, at.scratch()));
            Runnable main = p.prepare(d, packedBytes + reorderBytes + at.scratch(),
                    arguments(at, fromArg, from, layout, at.scratch(), toArg, to, bias));
            return () -> {
                pack.run();
                main.run();
            };
        });
    }

    private long[] arguments(CpuKernel.Places at, int fromArg, long from, long layout, long weights, int toArg, long to,
            long bias) {
        long[] args = {fromArg, p.memory(from, at.in(0)), Primitives.WEIGHTS, p.memory(layout, weights), toArg,
                p.memory(to, at.out(0))};
        return bias == 0 ? args : with(args, Primitives.BIAS, p.memory(bias, at.in(2)));
    }
}
