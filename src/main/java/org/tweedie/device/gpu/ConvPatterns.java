// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.program.Shape;
import org.tweedie.program.Value;
import org.tweedie.program.op.Binary.Kind;
import org.tweedie.program.op.Conv2d;
import org.tweedie.program.op.Fn;
import org.tweedie.program.op.Unary;

/**
 * Convolutions with what a library does to their sums before it writes them: silu(conv(x) + residual) and its parts. The residual is a residual block's input, or
 * its time embedding [B,1,1,C].
 */
final class ConvPatterns {
    private static final Unary SILU = new Unary(Fn.SILU, 0);

    private final Matching of;
    private final Uses uses;

    ConvPatterns(Matching of) {
        this.of = of;
        this.uses = of.uses();
    }

    /** Those that end at an instruction; where two convolutions are added, the later one has the other as its residual if it can. */
    List<Match> at(int n) {
        if (uses.is(n, Kind.ADD)) {
            return sums(n, Set.of(n));
        }
        int before = uses.instr(n).op().equals(SILU) ? uses.maker(uses.in(n, 0)) : -1;
        if (uses.is(before, Kind.ADD)) {
            return sums(before, Set.of(before, n));
        }
        return isConvolution(before) ? matches(before, null, Set.of(n)) : List.of();
    }

    private boolean isConvolution(int n) {
        return n >= 0 && uses.instr(n).op() instanceof Conv2d;
    }

    /** The sum of a convolution and a residual, and what else is done. */
    private List<Match> sums(int add, Set<Integer> after) {
        List<Match> all = new ArrayList<>();
        int first = uses.maker(uses.in(add, 0)) > uses.maker(uses.in(add, 1)) ? 0 : 1;
        for (int k : new int[] {first, 1 - first}) {
            int conv = uses.maker(uses.in(add, k));
            Value residual = uses.in(add, 1 - k);
            if (isConvolution(conv) && !residual.equals(uses.in(add, k)) && isResidual(residual.shape(), uses.in(add, k).shape())) {
                all.addAll(matches(conv, residual, after));
            }
        }
        return all;
    }

    private static boolean isResidual(Shape r, Shape y) {
        return r.equals(y) || r.equals(Shape.of(y.dim(0), 1, 1, y.dim(3)));
    }

    private List<Match> matches(int conv, Value residual, Set<Integer> after) {
        Set<Integer> instrs = new TreeSet<>(after);
        instrs.add(conv);
        Value y = uses.instr(Collections.max(after)).result();
        List<Value> in = new ArrayList<>(uses.instr(conv).in());
        if (residual != null) {
            in.add(residual);
        }
        if (of.stored(y).dtype() != of.stored(uses.instr(conv).result()).dtype()) { // the solver's sums with a network's result
            return List.of();
        }
        Epilogue epilogue = new Epilogue(residual != null, uses.instr(Collections.max(after)).op().equals(SILU));
        GpuKernel kernel = Lowering.library(uses.instr(conv).op(), epilogue, in.size(), 1);
        Match m = of.match(instrs, kernel, y, in.stream().map(v -> new Matching.Typed(v, of.stored(y).dtype())).toArray(Matching.Typed[]::new));
        return m == null ? List.of() : List.of(m);
    }
}
