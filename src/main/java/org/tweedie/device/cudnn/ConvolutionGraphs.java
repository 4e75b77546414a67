// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;

/**
 * Convolutions as graphs. cuDNN names the axes of an image N, C, H, W and those of a filter K, C, R, S whatever their order in memory; ours, channels last,
 * are told by strides.
 */
final class ConvolutionGraphs {
    private ConvolutionGraphs() {}

    /** y = silu(conv(x, w) + residual + bias), what is there of these. */
    static void forward(Graph g, Convolution op, LibraryCall call) {
        Graph.Tensor x = image(g, new Place.In(0), call.in().get(0));
        Graph.Tensor w = image(g, new Place.In(1), call.in().get(1)); // [Cout,kh,kw,Cin] has the order of an image
        Graph.Tensor y = image(g, new Place.Out(0), call.out().getFirst());
        boolean alone = call.bias() == null && call.epilogue().equals(Epilogue.NONE);
        Graph.Tensor sums = alone ? y : g.like(y);
        g.convolution(op, x, w, sums);
        if (!alone) {
            epilogue(g, call, sums, y);
        }
    }

    /** The same, but that x is the sums conv(x, w), in memory. */
    static void epilogue(Graph g, LibraryCall call) {
        epilogue(g, call, image(g, new Place.In(0), call.in().get(0)), image(g, new Place.Out(0), call.out().getFirst()));
    }

    /**
     * A residual of y's shape is added before the bias: for that order, without SiLU, cuDNN has hand-written engines, not only those that it compiles. Any other
     * sum of two terms 9.5 takes for the same pattern and refuses, since it is not, unless a product by one stands between the two.
     */
    private static void epilogue(Graph g, LibraryCall call, Graph.Tensor sums, Graph.Tensor y) {
        Buffer residual = call.residual();
        Buffer bias = call.bias();
        boolean silu = call.epilogue().silu();
        boolean handWritten = residual != null && residual.size() == call.out().getFirst().size() && !silu;
        Graph.Tensor r = residual == null ? null : image(g, new Place.In(call.in().size() - 1), residual);
        Graph.Tensor b = bias == null ? null : image(g, new Place.In(2), bias.reshape(1, 1, 1, bias.shape().dim(0)));
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

    /** dy, w to dx. */
    static void backwardData(Graph g, ConvolutionVjp op, LibraryCall call) {
        g.backwardData(op.of(), image(g, new Place.In(0), call.in().get(0)), image(g, new Place.In(1), call.in().get(1)),
                image(g, new Place.Out(0), call.out().getFirst()));
    }

    /** [B,H,W,C] with extents in cuDNN's order. */
    private static Graph.Tensor image(Graph g, Place place, Buffer b) {
        Shape s = b.shape();
        long h = s.dim(1);
        long w = s.dim(2);
        long c = s.dim(3);
        DType stored = b.dtype();
        return g.tensor(place, stored, new long[] {s.dim(0), c, h, w}, h * w * c, 1, w * c, c);
    }
}
