// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.storage;

import java.util.Arrays;
import java.util.List;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/**
 * Decides how each value of a program is stored. The results of networks (everything that has been through a convolution, a
 * product, a norm, attention or a table) are stored in the type that was asked for: most of the bytes are there, and networks
 * are trained to bear the rounding. These are always stored in F32:
 *
 * <ul>
 * <li>values that come from inputs by arithmetic alone: time steps (BF16 cannot tell 999 from 1000), noise levels, the
 *     solver's latent and its sums with network results (a sampler's ops write them), which rounding at each step would let
 *     drift;</li>
 * <li>sums ({@link ReduceSum}): they reach farther than F16, and there are few;</li>
 * <li>the lse of attention, because its exponential multiplies its error.</li>
 * </ul>
 *
 * Constants are stored as each reader wants them. Where a reader wants another type than a value is stored in, the plan converts.
 */
public final class Storage {
    /**
     * The source of a value, which decides its type. A value with operands from several sources has the latest of them in this
     * order.
     */
    private enum Origin { CONSTANTS, NETWORK, INPUTS }

    private final DType real;
    private final Origin[] origin;

    private Storage(DType real, int values) {
        this.real = real;
        this.origin = new Origin[values];
    }

    /** @param real type in which the values of networks are stored: F32, F16 or BF16 */
    public static Storage of(Program p, DType real) {
        if (real != DType.F32 && real != DType.F16 && real != DType.BF16) {
            throw new IllegalArgumentException("storage: expected F32, F16 or BF16, got " + real);
        }
        Storage s = new Storage(real, p.values());
        p.constants().forEach(c -> s.origin[c.value().id()] = Origin.CONSTANTS);
        p.inputs().forEach(i -> s.origin[i.value().id()] = Origin.INPUTS);
        p.body().forEach(s::add);
        s.writeForNetworks(p);
        return s;
    }

    /**
     * Batches that a kernel of the probe makes, which writes any type, are stored as convolutions want them where only those read
     * them.
     */
    private void writeForNetworks(Program p) {
        Uses uses = new Uses(p);
        for (Instr i : p.body()) {
            boolean any = i.op() instanceof HutchinsonPair || i.op() instanceof HutchinsonEstimateVjp;
            if (any && !uses.isResult(i.result()) && uses.readers(i.result()).stream()
                    .allMatch(n -> isConvolution(uses.instr(n).op()))) {
                origin[i.result().id()] = Origin.NETWORK;
            }
        }
    }

    private static boolean isConvolution(Op op) {
        return op instanceof Convolution || op instanceof ConvolutionVjp;
    }

    /** This storage with copies, whose numbers follow: each is stored in the network's type or in F32. */
    public Storage with(List<Crossing.Copy> copies) {
        Storage s = new Storage(real, origin.length + copies.size());
        System.arraycopy(origin, 0, s.origin, 0, origin.length);
        copies.forEach(c -> s.origin[c.value().id()] = c.dtype() == real ? Origin.NETWORK : Origin.INPUTS);
        return s;
    }

    private void add(Instr i) {
        Origin result = switch (i.op()) {
            case Convolution _, ConvolutionVjp _, DotProductAttention _, DotProductAttentionJvp _, DotProductAttentionVjp _,
                    Gather _,
                    GroupNormalization _, GroupNormalizationJvp _, GroupNormalizationVjp _, MatMul _ -> Origin.NETWORK;
            case DdimMove _, HutchinsonEstimate _, HutchinsonEstimateVjp _, HutchinsonPair _, HutchinsonPairVjp _,
                    TweedieMean _ -> Origin.INPUTS;
            case ReduceSum _ -> i.result().shape().size() == i.in().getFirst().shape().size() ? operands(i.in()) : Origin.INPUTS;
            case Affine _, Binary _, Broadcast _, Concat _, Geglu _, GegluJvp _, GegluVjp _, Guidance _, GuidanceVjp _, Pad _,
                    Reshape _, Slice _, Softmax _, SumPool _, Transpose _, Unary _, UnaryMul _, Upsample _ -> operands(i.in());
            case FusedOp _ -> throw new IllegalStateException(i.op() + " must be decomposed before");
        };
        i.out().forEach(v -> origin[v.id()] = result);
        if (i.op() instanceof DotProductAttention) {
            origin[i.out().get(1).id()] = Origin.INPUTS;
        }
    }

    private Origin operands(List<Value> in) {
        return Origin.values()[in.stream().mapToInt(v -> origin[v.id()].ordinal()).max().orElseThrow()];
    }

    /** The type in which a value is stored; it holds for a constant only where that is a result. */
    public DType of(Value v) {
        return v.type().dtype() != DType.F32 ? v.type().dtype() : origin[v.id()] == Origin.NETWORK ? real : DType.F32;
    }

    /** The types in which the kernel of an instruction reads its operands. */
    public List<DType> wanted(Instr i) {
        DType one = switch (i.op()) {
            case ReduceSum _ -> operands(i.in()) == Origin.NETWORK ? real : DType.F32; // reads either, adds in F32
            // latents, probes and scalars
            case DdimMove _, HutchinsonEstimate _, HutchinsonEstimateVjp _, HutchinsonPair _, TweedieMean _ -> DType.F32;
            case HutchinsonPairVjp _ -> of(i.in().getFirst());
            default -> of(i.out().getFirst());
        };
        DType[] t = new DType[i.in().size()];
        Arrays.fill(t, one);
        switch (i.op()) {
            // predictions as the network stores them
            case DdimMove _, HutchinsonEstimate _, TweedieMean _ -> t[1] = of(i.in().get(1));
            case DotProductAttentionVjp _, DotProductAttentionJvp _ -> t[4] = DType.F32; // lse
            case Gather _ -> t[1] = DType.I64;
            default -> { }
        }
        return List.of(t);
    }
}
