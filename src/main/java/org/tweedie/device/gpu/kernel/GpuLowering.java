// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/**
 * Chooses the kernel of each instruction. Libraries do products and convolutions, and attention where one offers it; our kernels
 * do the rest.
 */
public final class GpuLowering {
    private GpuLowering() {}

    /** The call of a library if one offers it, else our kernel. @param stored type in which the result is stored */
    public static GpuKernel of(Instr i, DType stored, Offer offer) {
        boolean ask = i.op() instanceof DotProductAttention || i.op() instanceof DotProductAttentionVjp;
        return ask && offer.takes(i.op(), i.in().stream().map(Value::type).toList(), stored) ? library(i) : of(i);
    }

    /** Our kernel, or the call where only libraries have one; null for a reshape, which moves nothing. */
    public static GpuKernel of(Instr i) {
        List<Type> in = i.in().stream().map(Value::type).toList();
        Shape x = in.getFirst().shape();
        Shape y = i.out().getFirst().shape();
        return switch (i.op()) {
            case Affine o -> ElementwiseKernels.affine(o.scale(), o.shift(), y.size());
            case Binary o -> ElementwiseKernels.binary(o.kind(), y, x, in.get(1).shape());
            case Broadcast _ -> MoveKernels.broadcast(y, x);
            case Unary o -> ActivationKernels.unary(o.fn(), o.order(), y.size());
            case UnaryMul o -> ActivationKernels.unaryMul(o.fn(), o.order(), y.size());
            case ReduceSum o -> ReductionKernels.sum(x, o.axes());
            case SumPool o -> ReductionKernels.sumPool(o.factor(), x);
            case Softmax _ -> SoftmaxKernels.forward(x);
            case Reshape _ -> null;
            case Concat o -> MoveKernels.concat(o, in, y);
            case Slice o -> MoveKernels.slice(o, x);
            case Pad o -> MoveKernels.pad(o, x, y);
            case Transpose o -> MoveKernels.transpose(o, x);
            case Upsample o -> MoveKernels.upsample(o.factor(), x);
            case Gather _ -> MoveKernels.gather(x, in.get(1).shape().size());
            case GroupNormalization o -> NormKernels.forward(o, x);
            case GroupNormalizationVjp o -> NormKernels.vjp(o.of(), x);
            case GroupNormalizationJvp o -> NormKernels.jvp(o.of(), x);
            case DotProductAttention o -> AttentionKernels.forward(o, in);
            case DotProductAttentionVjp o -> AttentionKernels.vjp(o, in);
            case DotProductAttentionJvp o -> AttentionKernels.jvp(o, in);
            case Geglu _ -> ActivationKernels.geglu(x);
            case GegluVjp _ -> ActivationKernels.gegluVjp(x);
            case GegluJvp _ -> ActivationKernels.gegluJvp(x);
            case TweedieMean _ -> SamplerKernels.tweedie();
            case DdimMove _ -> SamplerKernels.ddim();
            case Guidance o -> SamplerKernels.guidance(o.weight());
            case GuidanceVjp o -> SamplerKernels.guidanceVjp(o.of().weight());
            case HutchinsonPair _ -> HutchinsonKernels.pair();
            case HutchinsonPairVjp _ -> HutchinsonKernels.pairVjp(false);
            case HutchinsonEstimate o -> HutchinsonKernels.estimate(o.factor(), x);
            case HutchinsonEstimateVjp o -> HutchinsonKernels.estimateVjp(o.factor());
            case MatMul o -> ProductKernels.of(o, y, in.size() == 3, false);
            case Convolution _, ConvolutionVjp _ -> library(i);
            case FusedOp o -> throw new IllegalStateException(o + " must be decomposed before");
        };
    }

    /** Returns true for a fused op that has no kernel; at present each has one. */
    public static boolean lacks(Op op) {
        return switch (op) {
            case GroupNormalization _, GroupNormalizationVjp _, GroupNormalizationJvp _, DotProductAttentionVjp _,
                    DotProductAttentionJvp _, Geglu _, GegluVjp _, GegluJvp _, TweedieMean _, DdimMove _, Guidance _,
                    GuidanceVjp _, HutchinsonPair _, HutchinsonPairVjp _, HutchinsonEstimate _, HutchinsonEstimateVjp _ -> false;
            default -> op instanceof FusedOp;
        };
    }

    private static GpuKernel library(Instr i) {
        return library(i.op(), Epilogue.NONE, i.in().size(), i.out().size());
    }

    /** A library's call with so many operands, the epilogue's among them, and results. */
    public static GpuKernel library(Op op, Epilogue epilogue, int in, int out) {
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
