// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/** Chooses the kernel of each instruction: products and convolutions are a library's, attention where one offers it, the rest is ours. */
final class Lowering {
    private Lowering() {}

    /** A library's call if it offers one, else as below. @param stored how the result is stored */
    static GpuKernel of(Instr i, DType stored, Offer offer) {
        boolean ask = i.op() instanceof DotProductAttention || i.op() instanceof DotProductAttentionVjp;
        return ask && offer.takes(i.op(), i.in().stream().map(Value::type).toList(), stored) ? library(i) : of(i);
    }

    /** Null for a reshape, which moves nothing. */
    static GpuKernel of(Instr i) {
        List<Type> in = i.in().stream().map(Value::type).toList();
        Shape x = in.getFirst().shape();
        Shape y = i.out().getFirst().shape();
        return switch (i.op()) {
            case Affine o -> Elementwise.affine(o.scale(), o.shift(), y.size());
            case Binary o -> Elementwise.binary(o.kind(), y, x, in.get(1).shape());
            case Broadcast _ -> Moves.broadcast(y, x);
            case Unary o -> Activations.unary(o.fn(), o.order(), y.size());
            case UnaryMul o -> Activations.unaryMul(o.fn(), o.order(), y.size());
            case ReduceSum o -> Reductions.sum(x, o.axes());
            case SumPool o -> Reductions.sumPool(o.factor(), x);
            case Softmax _ -> Softmaxes.forward(x);
            case Reshape _ -> null;
            case Concat o -> Moves.concat(o, in, y);
            case Slice o -> Moves.slice(o, x);
            case Pad o -> Moves.pad(o, x, y);
            case Transpose o -> Moves.transpose(o, x);
            case Upsample o -> Moves.upsample(o.factor(), x);
            case Gather _ -> Moves.gather(x, in.get(1).shape().size());
            case GroupNormalization o -> Norms.forward(o, x);
            case GroupNormalizationVjp o -> Norms.vjp(o.of(), x);
            case GroupNormalizationJvp o -> Norms.jvp(o.of(), x);
            case DotProductAttention o -> Attentions.forward(o, in);
            case DotProductAttentionVjp o -> Attentions.vjp(o, in);
            case DotProductAttentionJvp o -> Attentions.jvp(o, in);
            case Geglu _ -> Activations.geglu(x);
            case GegluVjp _ -> Activations.gegluVjp(x);
            case GegluJvp _ -> Activations.gegluJvp(x);
            case TweedieMean _ -> Sampler.tweedie();
            case DdimMove _ -> Sampler.ddim();
            case Guidance o -> Sampler.guidance(o.weight());
            case GuidanceVjp o -> Sampler.guidanceVjp(o.of().weight());
            case HutchinsonPair _ -> Hutchinson.pair();
            case HutchinsonPairVjp _ -> Hutchinson.pairVjp(false);
            case HutchinsonEstimate o -> Hutchinson.estimate(o.factor(), x);
            case HutchinsonEstimateVjp o -> Hutchinson.estimateVjp(o.factor());
            case MatMul o -> Products.of(o, y, in.size() == 3, false);
            case Convolution _, ConvolutionVjp _ -> library(i);
        };
    }

    /** Tells the fused ops for which there is no kernel: at present none. */
    static boolean lacks(Op op) {
        return false;
    }

    private static GpuKernel library(Instr i) {
        return library(i.op(), Epilogue.NONE, i.in().size(), i.out().size());
    }

    /** A library's call with so many operands, the epilogue's among them, and results. */
    static GpuKernel library(Op op, Epilogue epilogue, int in, int out) {
        return GpuKernel.of(p -> new LibraryCall(op, epilogue, all(in, p::in), all(out, p::out)));
    }

    private static List<Buffer> all(int n, IntFunction<Buffer> place) {
        List<Buffer> b = new ArrayList<>();
        for (int k = 0; k < n; k++) {
            b.add(place.apply(k));
        }
        return b;
    }
}
