// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.tweedie.device.cpu.loops.ActivationLoops;
import org.tweedie.device.cpu.loops.AttentionLoops;
import org.tweedie.device.cpu.loops.Conversions;
import org.tweedie.device.cpu.loops.CpuKernel;
import org.tweedie.device.cpu.loops.ElementwiseLoops;
import org.tweedie.device.cpu.loops.GegluLoops;
import org.tweedie.device.cpu.loops.MoveLoops;
import org.tweedie.device.cpu.loops.NormLoops;
import org.tweedie.device.cpu.loops.ProductCalls;
import org.tweedie.device.cpu.loops.ReductionLoops;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.device.storage.Storage;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/** Chooses the kernel of each instruction, and the types in which it reads its operands. */
final class CpuLowering {
    private final Primitives primitives;
    private final Parallel parallel;
    private final Storage storage;
    private final boolean brainProducts;
    private final ProductCalls products; // in F32
    private final ProductCalls brains; // in BF16
    private final Function<Value, Tensor> constants;

    /**
     * Makes a lowering.
     *
     * @param storage the types in which values are stored
     * @param brainProducts whether oneDNN has products in BF16
     * @param spare whether each weight is held in one layout only
     * @param constants returns the data of a constant, and null for other values
     */
    CpuLowering(Primitives primitives, Parallel parallel, Storage storage, boolean brainProducts, boolean spare,
            ProductCalls.Constants packed, Function<Value, Tensor> constants) {
        this.primitives = primitives;
        this.parallel = parallel;
        this.storage = storage;
        this.brainProducts = brainProducts;
        this.products = new ProductCalls(primitives, DType.F32, spare, packed);
        this.brains = new ProductCalls(primitives, DType.BF16, spare, packed);
        this.constants = constants;
    }

    /**
     * Returns the types in which the kernel of an instruction reads its operands: as {@link Storage} says, but F32 for biases and
     * for the scales and shifts of norms, which are small, and for weights where products are F32.
     */
    List<DType> wanted(Instr i) {
        List<DType> wanted = new ArrayList<>(storage.wanted(i));
        switch (i.op()) {
            case Convolution _, ConvolutionVjp _, MatMul _ -> {
                if (wanted.size() == 3) {
                    wanted.set(2, DType.F32);
                }
                if (!brainProducts && constants.apply(i.in().get(1)) != null) {
                    wanted.set(1, DType.F32);
                }
            }
            case GroupNormalization _, GroupNormalizationVjp _, GroupNormalizationJvp _ -> {
                wanted.set(1, DType.F32);
                wanted.set(2, DType.F32);
            }
            default -> { }
        }
        return wanted;
    }

    /** Returns the kernel of an instruction, or null for a reshape, which moves nothing. */
    CpuKernel of(Instr i) {
        if (i.op() instanceof Reshape) {
            return null;
        }
        DType real = storage.of(i.out().getFirst());
        List<DType> types = new ArrayList<>(wanted(i));
        i.out().forEach(v -> types.add(storage.of(v)));
        if (types.contains(DType.BF16) && !readsBrain(i.op())) {
            return Conversions.around(parallel, of(i, DType.F32, products), i.in(), i.out(), types);
        }
        return of(i, real, real == DType.BF16 ? brains : products);
    }

    /** Returns whether an op has a loop that reads and writes BF16. Those of the others work in F32. */
    private boolean readsBrain(Op op) {
        return switch (op) {
            case ReduceSum _, Softmax _ -> false;
            case Convolution _, ConvolutionVjp _, MatMul _, DotProductAttention _, DotProductAttentionVjp _,
                    DotProductAttentionJvp _ -> brainProducts;
            default -> true;
        };
    }

    /** @param real the type of the results that are real, and of the operands of their kind */
    private CpuKernel of(Instr i, DType real, ProductCalls products) {
        List<Type> in = i.in().stream().map(Value::type).toList();
        Shape x = in.getFirst().shape();
        Shape y = i.out().getFirst().shape();
        int width = real.bytes();
        return switch (i.op()) {
            case Affine o -> ElementwiseLoops.affine(parallel, real, o.scale(), o.shift(), y.size());
            case Binary o -> ElementwiseLoops.binary(parallel, real, o.kind(), y, x, in.get(1).shape());
            case Broadcast _ -> ElementwiseLoops.broadcast(parallel, real, y, x);
            case Unary o -> ActivationLoops.kernel(parallel, real, o.fn(), o.order(), y.size(), false);
            case UnaryMul o -> ActivationLoops.kernel(parallel, real, o.fn(), o.order(), y.size(), true);
            case ReduceSum o -> ReductionLoops.sum(parallel, x, o.axes());
            case SumPool o -> ReductionLoops.sumPool(parallel, real, o.factor(), x);
            case Softmax _ -> ReductionLoops.softmax(parallel, x);
            case Reshape _ -> null;
            case Concat o -> MoveLoops.concat(parallel, o, in, y, width);
            case Slice o -> MoveLoops.slice(parallel, o, x, width);
            case Pad o -> MoveLoops.pad(parallel, o, x, y, width);
            case Transpose o -> MoveLoops.transpose(parallel, o, x, width);
            case Upsample o -> MoveLoops.upsample(parallel, o.factor(), x, width);
            case Gather _ -> MoveLoops.gather(x, in.get(1).shape().size(), width);
            case GroupNormalization o -> NormLoops.forward(parallel, real, o, x);
            case GroupNormalizationVjp o -> NormLoops.vjp(parallel, real, o.of(), x);
            case GroupNormalizationJvp o -> NormLoops.jvp(parallel, real, o.of(), x);
            case Convolution o -> products.conv2d(o, in, y, constants.apply(i.in().get(1)));
            case ConvolutionVjp o -> products.conv2dVjp(o.of(), in, y, constants.apply(i.in().get(1)));
            case MatMul o -> products.matmul(o, in, y, constants.apply(i.in().get(1)));
            case DotProductAttention o -> AttentionLoops.forward(primitives, parallel, real, o, in);
            case DotProductAttentionVjp o -> AttentionLoops.vjp(primitives, parallel, real, o, in);
            case DotProductAttentionJvp o -> AttentionLoops.jvp(primitives, parallel, real, o, in);
            case Geglu _ -> GegluLoops.forward(parallel, real, x);
            case GegluVjp _ -> GegluLoops.vjp(parallel, real, x);
            case GegluJvp _ -> GegluLoops.jvp(parallel, real, x);
            case FusedOp _ -> throw new IllegalStateException("device 'cpu': " + i.op() + " must be decomposed before");
        };
    }

    /** Returns true for a fused op that has no loop of its own, such as those on latents, which are small. */
    static boolean lacks(Op op) {
        return switch (op) {
            case GroupNormalization _, GroupNormalizationVjp _, GroupNormalizationJvp _, DotProductAttentionVjp _,
                    DotProductAttentionJvp _, Geglu _, GegluVjp _, GegluJvp _ -> false;
            default -> op instanceof FusedOp;
        };
    }
}
