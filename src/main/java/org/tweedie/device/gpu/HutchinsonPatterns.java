// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import static org.tweedie.device.gpu.Matching.f32;
import static org.tweedie.device.gpu.Matching.instrs;
import static org.tweedie.device.gpu.Matching.isScalar;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.program.Value;
import org.tweedie.program.op.Binary.Kind;
import org.tweedie.program.op.Broadcast;
import org.tweedie.program.op.Concat;
import org.tweedie.program.op.ReduceSum;
import org.tweedie.program.op.Reshape;

/**
 * The probe of STSL's surrogate loss in a program, as it is traced and as it is pulled back: what one kernel of {@link Hutchinson} does. A pattern is looked
 * for from its last instruction upwards and is null where it does not fit. Slices of a batch's halves are part of no match: a kernel reads the batch itself,
 * and slices that nobody reads any more are dropped.
 */
final class HutchinsonPatterns {
    private final Matching of;
    private final Uses uses;

    HutchinsonPatterns(Matching of) {
        this.of = of;
        this.uses = of.uses();
    }

    /** [z ; z + e h]. */
    Match form(int concat) {
        List<Value> parts = uses.instr(concat).in();
        if (!uses.instr(concat).op().equals(new Concat(0)) || parts.size() != 2 || !uses.is(uses.maker(parts.get(1)), Kind.ADD)) {
            return null;
        }
        int add = uses.maker(parts.get(1));
        int mul = uses.maker(uses.in(add, 1));
        Value z = parts.get(0);
        if (!uses.in(add, 0).equals(z) || !uses.is(mul, Kind.MUL)) {
            return null;
        }
        Value e = uses.in(mul, 0);
        Value h = uses.in(mul, 1);
        boolean fits = e.shape().equals(z.shape()) && isScalar(h);
        return fits ? writingAny(of.match(instrs(concat, add, mul), Hutchinson.form(), uses.instr(concat).result(), f32(z), f32(e), f32(h))) : null;
    }

    /** u + first half of the batch + second half. */
    Match formVjp(int add) {
        int before = uses.maker(uses.in(add, 0));
        if (!uses.is(before, Kind.ADD)) {
            return null;
        }
        Value u = uses.in(before, 0);
        Value both = of.halves(0, uses.in(before, 1), uses.in(add, 1));
        Value dz = uses.instr(add).result();
        boolean fits = both != null && u.shape().equals(dz.shape()) && of.isF32(dz);
        return fits ? of.match(instrs(add, before), Hutchinson.formVjp(), dz, of.stored(both), f32(u)) : null;
    }

    /** k e.(second half - first half) / h / sigma, per sample. */
    Match reduce(int sum) {
        Value rows = uses.in(sum, 0);
        Reshape flat = uses.op(rows, Reshape.class);
        if (flat == null || flat.to().rank() != 2 || !uses.instr(sum).op().equals(new ReduceSum(List.of(1)))) {
            return null;
        }
        int mul = uses.maker(uses.in(uses.maker(rows), 0));
        int sub = uses.is(mul, Kind.MUL) ? uses.maker(uses.in(mul, 1)) : -1;
        Value both = uses.is(sub, Kind.SUB) ? of.halves(0, uses.in(sub, 1), uses.in(sub, 0)) : null;
        int squeeze = uses.onlyReader(uses.instr(sum).result());
        if (both == null || squeeze < 0 || !(uses.instr(squeeze).op() instanceof Reshape)) {
            return null;
        }
        Value e = uses.in(mul, 0);
        int byH = uses.onlyReader(uses.instr(squeeze).result());
        int bySigma = uses.is(byH, Kind.DIV) ? uses.onlyReader(uses.instr(byH).result()) : -1;
        int scale = uses.is(bySigma, Kind.DIV) ? uses.onlyReader(uses.instr(bySigma).result()) : -1;
        if (scale < 0 || !e.shape().equals(uses.in(sub, 0).shape()) || flat.to().dim(0) != e.dim(0)) {
            return null;
        }
        Value trace = uses.instr(scale).result();
        Value h = uses.in(byH, 1);
        Value sigma = uses.in(bySigma, 1);
        double k = uses.factor(trace);
        boolean fits = !Double.isNaN(k) && isScalar(h) && isScalar(sigma) && trace.shape().size() == e.dim(0) && of.isF32(trace);
        return fits ? of.match(instrs(uses.maker(rows), sum, mul, sub, squeeze, byH, bySigma, scale), Hutchinson.reduce(k, e.shape()), trace,
                of.stored(both), f32(e), f32(h), f32(sigma)) : null;
    }

    /** [a u sigma - c e ; c e] as zeros before and behind, c = k weight / sigma / h for each sample. */
    Match seed(int add) {
        int[] pads = of.pads(0, add);
        if (pads == null) {
            return null;
        }
        Value second = uses.in(pads[1], 0);
        int difference = uses.maker(uses.in(pads[0], 0));
        int share = uses.is(difference, Kind.ADD) ? uses.maker(uses.in(difference, 0)) : -1;
        Value minus = uses.is(difference, Kind.ADD) ? uses.in(difference, 1) : null;
        int ce = uses.maker(second);
        if (!uses.is(share, Kind.MUL) || uses.factor(minus) != -1 || !uses.in(uses.maker(minus), 0).equals(second) || !uses.is(ce, Kind.MUL)) {
            return null;
        }
        Value scaled = uses.in(share, 0);
        Value sigma = uses.in(share, 1);
        double a = uses.factor(scaled);
        Value e = uses.in(ce, 1);
        Set<Integer> chain = new TreeSet<>(List.of(add, pads[0], pads[1], difference, share, uses.maker(minus), ce));
        Value c = uses.in(ce, 0).shape().equals(e.shape()) ? perSample(uses.in(ce, 0), chain) : null;
        int byH = c == null ? -1 : uses.maker(c);
        int bySigma = uses.is(byH, Kind.DIV) ? uses.maker(uses.in(byH, 0)) : -1;
        if (Double.isNaN(a) || !uses.is(bySigma, Kind.DIV) || !uses.in(bySigma, 1).equals(sigma) || Double.isNaN(uses.factor(uses.in(bySigma, 0)))) {
            return null;
        }
        Value multiple = uses.in(bySigma, 0);
        Value weight = uses.in(uses.maker(multiple), 0);
        Value u = uses.in(uses.maker(scaled), 0);
        Value h = uses.in(byH, 1);
        chain.addAll(List.of(uses.maker(scaled), byH, bySigma, uses.maker(multiple)));
        boolean fits = weight.shape().size() == e.dim(0) && isScalar(sigma) && isScalar(h) && u.shape().equals(e.shape());
        return fits ? writingAny(of.match(chain, Hutchinson.seed(a, uses.factor(multiple)), uses.instr(add).result(), f32(u), f32(e), f32(weight), f32(sigma),
                f32(h))) : null;
    }

    private static Match writingAny(Match m) {
        return m == null ? null : m.writingAny();
    }

    /** The numbers [B] of which a value is the repetition over each sample, whose instructions join the chain; or null. */
    private Value perSample(Value x, Set<Integer> chain) {
        Value rows = uses.op(x, Reshape.class) == null ? x : uses.in(uses.maker(x), 0);
        if (x.shape().rank() == 0 || uses.op(rows, Broadcast.class) == null) {
            return null;
        }
        Value column = uses.in(uses.maker(rows), 0);
        Value c = uses.op(column, Reshape.class) == null ? column : uses.in(uses.maker(column), 0);
        if (column.shape().size() != x.dim(0) || column.shape().rank() != rows.shape().rank() || column.dim(0) != x.dim(0) || rows.dim(0) != x.dim(0)) {
            return null;
        }
        for (Value v : List.of(x, rows, column)) {
            if (!v.equals(c)) {
                chain.add(uses.maker(v));
            }
        }
        return c;
    }
}
