// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.tweedie.device.gpu.kernel.ActivationKernels;
import org.tweedie.device.gpu.kernel.AttentionKernels;
import org.tweedie.device.gpu.kernel.NormKernels;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.storage.Storage;
import org.tweedie.device.storage.Uses;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.Geglu;
import org.tweedie.program.op.GegluJvp;
import org.tweedie.program.op.GroupNormalizationJvp;
import org.tweedie.program.op.Op;
import org.tweedie.program.op.Unary;
import org.tweedie.program.op.UnaryMul;

/** Finds operations with their push-forwards at the same operands: one kernel computes both and reads the operands once. */
final class DualPatterns {
    private final Uses uses;
    private final Storage storage;

    DualPatterns(Matching of) {
        this.uses = of.uses();
        this.storage = of.storage();
    }

    /** The matches of an instruction with each of its push-forwards; the first match that can be used is to be taken. */
    List<Match> at(int n) {
        Instr i = uses.instr(n);
        List<Match> all = new ArrayList<>();
        for (int m : uses.readers(i.in().getFirst())) {
            Instr j = uses.instr(m);
            int shared = i.in().size();
            if (m != n && isPushForward(i.op(), j.op()) && j.in().subList(0, shared).equals(i.in()) && sameStorage(i, j)) {
                all.add(pair(n, i, m, j));
            }
        }
        return all;
    }

    private static boolean isPushForward(Op of, Op op) {
        return switch (op) {
            case GroupNormalizationJvp o -> o.of().equals(of);
            case DotProductAttentionJvp o -> o.of().equals(of);
            case GegluJvp _ -> of instanceof Geglu;
            case UnaryMul o -> o.order() == 1 && ActivationKernels.hasDual(o.fn()) && new Unary(o.fn(), 0).equals(of);
            default -> false;
        };
    }

    private boolean sameStorage(Instr i, Instr j) {
        return storage.of(i.result()) == storage.of(j.result());
    }

    private Match pair(int n, Instr i, int m, Instr j) {
        List<Value> in = new ArrayList<>(i.in());
        // o and lse are made within
        List<Value> tangents = j.in().subList(i.in().size() + (i.op() instanceof DotProductAttention ? 2 : 0), j.in().size());
        in.addAll(tangents);
        List<Value> out = new ArrayList<>(i.out());
        out.addAll(j.out());
        List<DType> wanted = Collections.nCopies(in.size(), storage.of(i.result()));
        List<Type> types = in.stream().map(Value::type).toList();
        GpuKernel kernel = switch (j.op()) {
            case GroupNormalizationJvp o -> NormKernels.dual(o.of(), types.getFirst().shape());
            case DotProductAttentionJvp o -> AttentionKernels.dual(o);
            case GegluJvp _ -> ActivationKernels.gegluDual(types.getFirst().shape());
            case UnaryMul o -> ActivationKernels.dual(o.fn(), types.getFirst().shape().size());
            default -> throw new IllegalStateException("dual: " + j);
        };
        return new Match(Set.of(n, m), in, wanted, out, kernel);
    }
}
