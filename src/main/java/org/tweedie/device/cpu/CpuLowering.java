// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.cpu.loops.ActivationLoops;
import org.tweedie.device.cpu.loops.AttentionLoops;
import org.tweedie.device.cpu.loops.CpuKernel;
import org.tweedie.device.cpu.loops.ElementwiseLoops;
import org.tweedie.device.cpu.loops.GegluLoops;
import org.tweedie.device.cpu.loops.MoveLoops;
import org.tweedie.device.cpu.loops.NormLoops;
import org.tweedie.device.cpu.loops.ProductCalls;
import org.tweedie.device.cpu.loops.ReductionLoops;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/** Chooses the kernel of each instruction. */
final class CpuLowering {
    private final Primitives primitives;
    private final Parallel parallel;
    private final ProductCalls products;
    private final Function<Value, Tensor> constants;
    private final Map<List<Object>, CpuKernel> attentions = new HashMap<>();

    /**
     * Makes a lowering.
     *
     * @param spare whether each weight is held in one layout only
     * @param constants returns the data of a constant, and null for other values
     */
    CpuLowering(Primitives primitives, Parallel parallel, boolean spare, ProductCalls.Constants packed,
            Function<Value, Tensor> constants) {
        this.primitives = primitives;
        this.parallel = parallel;
        this.products = new ProductCalls(primitives, spare, packed);
        this.constants = constants;
    }

    /** Returns the kernel of an instruction, or null for a reshape, which moves nothing. */
    CpuKernel of(Instr i) {
        List<Type> in = i.in().stream().map(Value::type).toList();
        Shape x = in.getFirst().shape();
        Shape y = i.out().getFirst().shape();
        return switch (i.op()) {
            case Affine o -> ElementwiseLoops.affine(parallel, o.scale(), o.shift(), y.size());
            case Binary o -> ElementwiseLoops.binary(parallel, o.kind(), y, x, in.get(1).shape());
            case Broadcast _ -> ElementwiseLoops.broadcast(parallel, y, x);
            case Unary o -> ActivationLoops.kernel(parallel, o.fn(), o.order(), y.size(), false);
            case UnaryMul o -> ActivationLoops.kernel(parallel, o.fn(), o.order(), y.size(), true);
            case ReduceSum o -> ReductionLoops.sum(parallel, x, o.axes());
            case SumPool o -> ReductionLoops.sumPool(parallel, o.factor(), x);
            case Softmax _ -> ReductionLoops.softmax(parallel, x);
            case Reshape _ -> null;
            case Concat o -> MoveLoops.concat(parallel, o, in, y);
            case Slice o -> MoveLoops.slice(parallel, o, x, width(in));
            case Pad o -> MoveLoops.pad(parallel, o, x, y);
            case Transpose o -> MoveLoops.transpose(parallel, o, x, width(in));
            case Upsample o -> MoveLoops.upsample(parallel, o.factor(), x);
            case Gather _ -> MoveLoops.gather(x, in.get(1).shape().size());
            case GroupNormalization o -> NormLoops.forward(parallel, o, x);
            case GroupNormalizationVjp o -> NormLoops.vjp(parallel, o.of(), x);
            case GroupNormalizationJvp o -> NormLoops.jvp(parallel, o.of(), x);
            case Convolution o -> products.conv2d(o, in, y, constants.apply(i.in().get(1)));
            case ConvolutionVjp o -> products.conv2dVjp(o.of(), in, y, constants.apply(i.in().get(1)));
            case MatMul o -> products.matmul(o, in, y, constants.apply(i.in().get(1)));
            case DotProductAttention o -> attention(o, in, () -> AttentionLoops.forward(primitives, parallel, o, in));
            case DotProductAttentionVjp o -> attention(o, in, () -> AttentionLoops.vjp(primitives, parallel, o, in));
            case DotProductAttentionJvp o -> attention(o, in, () -> AttentionLoops.jvp(primitives, parallel, o, in));
            case Geglu _ -> GegluLoops.forward(parallel, x);
            case GegluVjp _ -> GegluLoops.vjp(parallel, x);
            case GegluJvp _ -> GegluLoops.jvp(parallel, x);
            case FusedOp _ -> throw new IllegalStateException("device 'cpu': " + i.op() + " must be decomposed before");
        };
    }

    /** Layers of one shape share a kernel, whose descriptors are large. */
    private CpuKernel attention(Op op, List<Type> in, Supplier<CpuKernel> kernel) {
        return attentions.computeIfAbsent(List.of(op, in), k -> kernel.get());
    }

    /** Returns true for a fused op that has no loop of its own, such as those on latents, which are small. */
    static boolean lacks(Op op) {
        return switch (op) {
            case GroupNormalization _, GroupNormalizationVjp _, GroupNormalizationJvp _, DotProductAttentionVjp _,
                    DotProductAttentionJvp _, Geglu _, GegluVjp _, GegluJvp _ -> false;
            default -> op instanceof FusedOp;
        };
    }

    private static int width(List<Type> in) {
        return (int) (MemoryPlan.bytes(in.getFirst()) / Math.max(1, in.getFirst().shape().size()));
    }
}
