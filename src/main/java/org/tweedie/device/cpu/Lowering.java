// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.List;
import java.util.function.Function;
import org.tweedie.device.MemoryPlan;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/** Chooses the kernel of each instruction. */
final class Lowering {
    private final Primitives primitives;
    private final Parallel parallel;
    private final Products products;
    private final Function<Value, Tensor> constants;

    /**
     * @param spare hold each weight in one layout only
     * @param constants the data of a constant; null for other values
     */
    Lowering(Primitives primitives, Parallel parallel, boolean spare, Products.Constants packed, Function<Value, Tensor> constants) {
        this.primitives = primitives;
        this.parallel = parallel;
        this.products = new Products(primitives, spare, packed);
        this.constants = constants;
    }

    /** Null for a reshape, which moves nothing. */
    Kernel of(Instr i) {
        List<Type> in = i.in().stream().map(Value::type).toList();
        Shape x = in.getFirst().shape();
        Shape y = i.out().getFirst().shape();
        return switch (i.op()) {
            case Affine o -> Elementwise.affine(parallel, o.scale(), o.shift(), y.size());
            case Binary o -> Elementwise.binary(parallel, o.kind(), y, x, in.get(1).shape());
            case Broadcast _ -> Elementwise.broadcast(parallel, y, x);
            case Unary o -> Activations.kernel(parallel, o.fn(), o.order(), y.size(), false);
            case UnaryMul o -> Activations.kernel(parallel, o.fn(), o.order(), y.size(), true);
            case ReduceSum o -> Reductions.sum(parallel, x, o.axes());
            case SumPool o -> Reductions.sumPool(parallel, o.factor(), x);
            case Softmax _ -> Reductions.softmax(parallel, x);
            case Reshape _ -> null;
            case Concat o -> Moves.concat(parallel, o, in, y);
            case Slice o -> Moves.slice(parallel, o, x, width(in));
            case Pad o -> Moves.pad(parallel, o, x, y);
            case Transpose o -> Moves.transpose(parallel, o, x, width(in));
            case Upsample o -> Moves.upsample(parallel, o.factor(), x);
            case Gather _ -> Moves.gather(x, in.get(1).shape().size());
            case GroupNormalization o -> Norms.forward(parallel, o, x);
            case GroupNormalizationVjp o -> Norms.vjp(parallel, o.of(), x);
            case GroupNormalizationJvp o -> Norms.jvp(parallel, o.of(), x);
            case Convolution o -> products.conv2d(o, in, y, constants.apply(i.in().get(1)));
            case ConvolutionVjp o -> products.conv2dVjp(o.of(), in, y, constants.apply(i.in().get(1)));
            case MatMul o -> products.matmul(o, in, y, constants.apply(i.in().get(1)));
            case DotProductAttention o -> Attentions.forward(primitives, parallel, o, in);
            case DotProductAttentionVjp o -> Attentions.vjp(primitives, parallel, o, in);
            case DotProductAttentionJvp o -> Attentions.jvp(primitives, parallel, o, in);
            case Geglu _ -> GegluLoops.forward(parallel, x);
            case GegluVjp _ -> GegluLoops.vjp(parallel, x);
            case GegluJvp _ -> GegluLoops.jvp(parallel, x);
            case DdimMove _, Guidance _, GuidanceVjp _, HutchinsonEstimate _, HutchinsonEstimateVjp _, HutchinsonPair _, HutchinsonPairVjp _,
                    TweedieMean _ -> throw new IllegalStateException("device 'cpu': " + i.op() + " must be decomposed before");
        };
    }

    /** Tells the fused ops for which there is no loop of its own: those on latents, which are small. */
    static boolean lacks(Op op) {
        return switch (op) {
            case DdimMove _, Guidance _, GuidanceVjp _, HutchinsonEstimate _, HutchinsonEstimateVjp _, HutchinsonPair _, HutchinsonPairVjp _,
                    TweedieMean _ -> true;
            default -> false;
        };
    }

    private static int width(List<Type> in) {
        return (int) (MemoryPlan.bytes(in.getFirst()) / Math.max(1, in.getFirst().shape().size()));
    }
}
