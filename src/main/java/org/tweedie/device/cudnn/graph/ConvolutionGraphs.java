// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.graph;

import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;

/**
 * Builds convolutions as graphs. cuDNN names the axes of an image N, C, H, W and those of a filter K, C, R, S whatever their
 * order in memory is; strides express our order, in which channels are last.
 */
public final class ConvolutionGraphs {
    private ConvolutionGraphs() {}

    /** Computes y = silu(conv(x, w) + residual + bias), or those terms of it that the call has. */
    public static void forward(Graph g, Convolution op, LibraryCall call) {
        Graph.Tensor x = image(g, new TensorPlace.In(0), call.in().get(0));
        Graph.Tensor w = image(g, new TensorPlace.In(1), call.in().get(1)); // [Cout,kh,kw,Cin] has the order of an image
        Graph.Tensor y = image(g, new TensorPlace.Out(0), call.out().getFirst());
        boolean alone = call.bias() == null && call.epilogue().equals(Epilogue.NONE);
        Graph.Tensor sums = alone ? y : g.like(y);
        g.convolution(op, x, w, sums);
        if (!alone) {
            epilogue(g, call, sums, y);
        }
    }

    /** Computes y as {@link #forward} does, from sums conv(x, w) that are in memory. */
    public static void epilogue(Graph g, LibraryCall call) {
        epilogue(g, call, image(g, new TensorPlace.In(0), call.in().get(0)),
                image(g, new TensorPlace.Out(0), call.out().getFirst()));
    }

    /**
     * Adds what follows the convolution. A residual of y's shape is added before the bias: for that order, without SiLU, cuDNN
     * has hand-written engines in addition to those that it compiles. cuDNN 9.5 mistakes any other sum of two terms for the same
     * pattern and then refuses it, unless a product by one stands between the two.
     */
    private static void epilogue(Graph g, LibraryCall call, Graph.Tensor sums, Graph.Tensor y) {
        Buffer residual = call.residual();
        Buffer bias = call.bias();
        boolean silu = call.epilogue().silu();
        boolean handWritten = residual != null && residual.size() == call.out().getFirst().size() && !silu;
        Graph.Tensor r = residual == null ? null : image(g, new TensorPlace.In(call.in().size() - 1), residual);
        Graph.Tensor b = bias == null ? null : image(g, new TensorPlace.In(2), bias.reshape(1, 1, 1, bias.shape().dim(0)));
        Graph.Tensor first = handWritten || b == null ? r : b;
        Graph.Tensor second = first == b ? r : b;
        Graph.Tensor last = sums;
        if (first != null) {
            last = g.pointwise(Graph.Pointwise.ADD, last, first, second == null && !silu ? y : g.like(y));
        }
        if (second != null) {
            last = handWritten ? last : g.pointwise(Graph.Pointwise.MUL, last, g.scalar(1), g.like(y));
            last = g.pointwise(Graph.Pointwise.ADD, last, second, silu ? g.like(y) : y);
        }
        if (silu) {
            g.pointwise(Graph.Pointwise.SWISH_FWD, last, null, y);
        }
    }

    /** Computes dx of dy and w. */
    public static void backwardData(Graph g, ConvolutionVjp op, LibraryCall call) {
        g.backwardData(op.of(), image(g, new TensorPlace.In(0), call.in().get(0)),
                image(g, new TensorPlace.In(1), call.in().get(1)),
                image(g, new TensorPlace.Out(0), call.out().getFirst()));
    }

    /** Makes the tensor of an image [B,H,W,C], with its extents in cuDNN's order. */
    private static Graph.Tensor image(Graph g, TensorPlace place, Buffer b) {
        Shape s = b.shape();
        long h = s.dim(1);
        long w = s.dim(2);
        long c = s.dim(3);
        DType stored = b.dtype();
        return g.tensor(place, stored, new long[] {s.dim(0), c, h, w}, h * w * c, 1, w * c, c);
    }
}
