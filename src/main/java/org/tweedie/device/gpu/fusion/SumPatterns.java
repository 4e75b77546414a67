// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.device.gpu.kernel.GpuLowering;
import org.tweedie.device.gpu.kernel.HutchinsonKernels;
import org.tweedie.device.gpu.kernel.NormKernels;
import org.tweedie.device.gpu.kernel.ProductKernels;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.storage.Uses;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Value;
import org.tweedie.program.op.Binary.Kind;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.Fn;
import org.tweedie.program.op.GroupNormalizationVjp;
import org.tweedie.program.op.HutchinsonPairVjp;
import org.tweedie.program.op.MatMul;
import org.tweedie.program.op.Reshape;
import org.tweedie.program.op.Unary;

/**
 * Finds sums that are added before a result is written: silu(conv(x) + residual) or a part of it and a b + residual, by
 * libraries, and residuals on pull-backs of norms and of the probe's points, by our kernels. The residual is the input of a block
 * of the network, its time embedding [B,1,1,C], or in a pull-back another summand of a gradient.
 */
final class SumPatterns {
    private static final Unary SILU = new Unary(Fn.SILU, 0);

    private final Matching of;
    private final Uses uses;

    SumPatterns(Matching of) {
        this.of = of;
        this.uses = of.uses();
    }

    /** The matches that end at an instruction, the best first. */
    List<Match> at(int n) {
        if (uses.is(n, Kind.ADD)) {
            return sums(n, Set.of(n));
        }
        int before = uses.instr(n).op().equals(SILU) ? uses.maker(uses.in(n, 0)) : -1;
        if (uses.is(before, Kind.ADD)) {
            return sums(before, Set.of(before, n));
        }
        return before < 0 ? List.of() : matches(before, null, Set.of(n));
    }

    /**
     * The matches of an addition: one operand is computed, the other is its residual. A convolution comes first, since it adds
     * bias and residual at once; of two of a kind the later one does, since its residual is there by then.
     */
    private List<Match> sums(int add, Set<Integer> after) {
        int later = uses.maker(uses.in(add, 0)) > uses.maker(uses.in(add, 1)) ? 0 : 1;
        List<Match> all = new ArrayList<>();
        for (int k : new int[] {later, 1 - later}) {
            Value sum = uses.in(add, k);
            Value residual = uses.in(add, 1 - k);
            if (uses.maker(sum) >= 0 && !residual.equals(sum)) {
                all.addAll(uses.op(sum, Convolution.class) == null ? all.size() : 0, matches(uses.maker(sum), residual, after));
            }
        }
        return all;
    }

    /** @param n the instruction that makes the sum or reshapes it */
    private List<Match> matches(int n, Value residual, Set<Integer> after) {
        Set<Integer> instrs = new TreeSet<>(after);
        instrs.add(n);
        int made = uses.instr(n).op() instanceof Reshape ? uses.maker(uses.in(n, 0)) : n;
        if (made < 0) {
            return List.of();
        }
        instrs.add(made);
        Instr i = uses.instr(made);
        Value y = uses.instr(Collections.max(after)).result();
        boolean silu = uses.instr(Collections.max(after)).op().equals(SILU);
        Shape sum = uses.instr(n).out().getFirst().shape();
        boolean whole = residual != null && residual.shape().equals(sum);
        List<Value> in = new ArrayList<>(i.in());
        if (residual != null) {
            in.add(residual);
        }
        GpuKernel kernel = switch (i.op()) {
            case Convolution o when made == n && (residual == null || whole || residual.shape().equals(pixel(sum))) ->
                    GpuLowering.library(o, new Epilogue(residual != null, silu), in.size(), 1);
            case MatMul o when whole && !silu -> ProductKernels.of(o, i.result().shape(), in.size() == 4, true);
            case GroupNormalizationVjp o when whole && !silu -> NormKernels.vjpPlus(o.of(), i.result().shape());
            case HutchinsonPairVjp _ when made == n && whole && !silu -> HutchinsonKernels.pairVjp(true);
            default -> null;
        };
        // types differ in the solver's sums with a network's result
        if (kernel == null || of.stored(y) != of.stored(i.result())) {
            return List.of();
        }
        List<DType> wanted = new ArrayList<>(of.storage().wanted(i));
        if (residual != null) {
            wanted.add(of.stored(y));
        }
        Match m = of.match(instrs, kernel, y, in, wanted);
        return m == null ? List.of() : List.of(switch (i.op()) {
            case MatMul _ -> m.overLast();
            case GroupNormalizationVjp _ -> m.inPlace();
            default -> m;
        });
    }

    /** The shape of a value that all pixels of a sample of an image share. */
    private static Shape pixel(Shape image) {
        return Shape.of(image.dim(0), 1, 1, image.dim(3));
    }
}
