// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import static org.tweedie.device.gpu.Matching.instrs;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.program.Value;
import org.tweedie.program.op.Binary.Kind;
import org.tweedie.program.op.Fn;
import org.tweedie.program.op.UnaryMul;

/**
 * The gated unit of transformer blocks, y = a gelu(b) for x = [a, b] along the last axis, as it is traced, pulled back and pushed forward: one kernel each,
 * which reads x itself instead of its halves.
 */
final class GegluPatterns {
    private static final UnaryMul GATE = new UnaryMul(Fn.GELU, 0);
    private static final UnaryMul SLOPE = new UnaryMul(Fn.GELU, 1);

    private final Matching of;
    private final Uses uses;

    GegluPatterns(Matching of) {
        this.of = of;
        this.uses = of.uses();
    }

    /** a gelu(b). */
    Match forward(int gate) {
        Value x = gated(gate);
        return x == null ? null : match(instrs(gate), Activations.geglu(x.shape()), List.of(uses.instr(gate).result()), x);
    }

    /** The [a, b] of an instruction that is a gelu(b), or null. */
    private Value gated(int gate) {
        return gate >= 0 && uses.instr(gate).op().equals(GATE) ? halves(uses.in(gate, 1), uses.in(gate, 0)) : null;
    }

    private Value halves(Value first, Value second) {
        return of.halves(first.shape().rank() - 1, first, second);
    }

    /** [dy gelu(b), dy a gelu'(b)] as zeros behind and before. */
    Match vjp(int add) {
        int[] pads = of.pads(uses.instr(add).result().shape().rank() - 1, add);
        int da = pads == null ? -1 : uses.maker(uses.in(pads[0], 0));
        int db = pads == null ? -1 : uses.maker(uses.in(pads[1], 0));
        Products p = products(da, db);
        if (p == null || !uses.in(p.product, 0).equals(uses.in(da, 1))) {
            return null;
        }
        Value dy = uses.in(da, 1);
        return match(instrs(add, pads[0], pads[1], da, db, p.product), Activations.gegluVjp(p.x.shape()), List.of(uses.instr(add).result()), p.x, dy);
    }

    /** What is common to both derivatives: c gelu(b) and (d a) gelu'(b) for one [a, b] = x, and who makes d a. */
    private record Products(Value x, int product) {}

    private Products products(int gate, int slope) {
        if (gate < 0 || slope < 0 || !uses.instr(gate).op().equals(GATE) || !uses.instr(slope).op().equals(SLOPE)) {
            return null;
        }
        int product = uses.maker(uses.in(slope, 1));
        if (!uses.is(product, Kind.MUL) || !uses.in(gate, 0).equals(uses.in(slope, 0))) {
            return null;
        }
        Value x = halves(uses.in(product, 1), uses.in(gate, 0));
        return x == null ? null : new Products(x, product);
    }

    /** tb a gelu'(b) + ta gelu(b), and where there is one a gelu(b) of the same x with it; the best first. */
    List<Match> jvp(int add) {
        int slope = uses.maker(uses.in(add, 0));
        int gate = uses.maker(uses.in(add, 1));
        Products p = products(gate, slope);
        Value tx = p == null ? null : halves(uses.in(gate, 1), uses.in(p.product, 0));
        if (tx == null) {
            return List.of();
        }
        Value ty = uses.instr(add).result();
        Set<Integer> instrs = instrs(add, slope, gate, p.product);
        List<Match> all = new ArrayList<>();
        for (int n : uses.readers(uses.in(gate, 0))) {
            if (p.x.equals(gated(n))) {
                Set<Integer> both = new TreeSet<>(instrs);
                both.add(n);
                all.add(match(both, Activations.gegluDual(p.x.shape()), List.of(uses.instr(n).result(), ty), p.x, tx));
            }
        }
        all.add(match(instrs, Activations.gegluJvp(p.x.shape()), List.of(ty), p.x, tx));
        all.removeIf(m -> m == null);
        return all;
    }

    /** A kernel that reads and writes one type. */
    private Match match(Set<Integer> instrs, GpuKernel kernel, List<Value> out, Value... in) {
        if (out.stream().anyMatch(v -> of.stored(v).dtype() != of.stored(out.getFirst()).dtype())) {
            return null;
        }
        return of.match(instrs, kernel, out, Arrays.stream(in).map(v -> new Matching.Typed(v, of.stored(out.getFirst()).dtype())).toArray(Matching.Typed[]::new));
    }
}
