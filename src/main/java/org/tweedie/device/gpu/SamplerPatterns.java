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
import org.tweedie.program.op.Slice;

/**
 * Tweedie's mean, DDIM steps and guidance in a program: what one kernel of {@link Sampler} does. A pattern is looked for from its last instruction upwards
 * and is null where it does not fit. Slices of a batch's halves are part of no match: a kernel reads the batch itself.
 */
final class SamplerPatterns {
    private final Matching of;
    private final Uses uses;

    SamplerPatterns(Matching of) {
        this.of = of;
        this.uses = of.uses();
    }

    /** (z - eps sigma) / sqrt_abar. */
    Match tweedie(int div) {
        Chain t = mean(uses.instr(div).result());
        Value zbar = uses.instr(div).result();
        if (t == null || !of.isF32(zbar)) {
            return null;
        }
        Half eps = half(t.eps);
        return of.match(t.instrs, eps.of(Sampler.tweedie(), 1), zbar, f32(t.z), of.stored(eps.batch), f32(t.sigma), f32(t.sqrtAbar));
    }

    private record Chain(Set<Integer> instrs, Value z, Value eps, Value sigma, Value sqrtAbar) {}

    private Chain mean(Value zbar) {
        int div = uses.maker(zbar);
        int sub = uses.is(div, Kind.DIV) ? uses.maker(uses.in(div, 0)) : -1;
        int mul = uses.is(sub, Kind.SUB) ? uses.maker(uses.in(sub, 1)) : -1;
        if (!uses.is(mul, Kind.MUL)) {
            return null;
        }
        Chain c = new Chain(instrs(div, sub, mul), uses.in(sub, 0), uses.in(mul, 0), uses.in(mul, 1), uses.in(div, 1));
        return c.eps.shape().equals(c.z.shape()) && isScalar(c.sigma) && isScalar(c.sqrtAbar) ? c : null;
    }

    /** sqrt_abar' zbar + sigma' eps, with guidance where eps is read here only. */
    Match ddim(int add) {
        int there = uses.maker(uses.in(add, 0));
        int noise = uses.maker(uses.in(add, 1));
        Chain t = uses.is(there, Kind.MUL) && uses.is(noise, Kind.MUL) ? mean(uses.in(there, 0)) : null;
        Value next = uses.instr(add).result();
        if (t == null || !uses.in(noise, 0).equals(t.eps) || uses.in(there, 1).shape().size() != 1 || uses.in(noise, 1).shape().size() != 1
                || !of.isF32(next)) {
            return null;
        }
        Set<Integer> instrs = new TreeSet<>(t.instrs);
        instrs.addAll(List.of(add, there, noise));
        Matching.Typed[] levels = {f32(t.sigma), f32(t.sqrtAbar), f32(uses.in(there, 1)), f32(uses.in(noise, 1))};
        Match guidance = uses.is(uses.maker(t.eps), Kind.ADD) ? guidance(uses.maker(t.eps)) : null;
        if (guidance != null && uses.staysWithin(uses.maker(t.eps), instrs)) {
            instrs.addAll(guidance.instrs());
            double w = uses.factor(uses.in(uses.maker(t.eps), 1));
            return of.match(instrs, Sampler.ddimGuided(w), next, f32(t.z), of.stored(guidance.in().getFirst()), levels[0], levels[1], levels[2], levels[3]);
        }
        Half eps = half(t.eps);
        return of.match(instrs, eps.of(Sampler.ddim(), 1), next, f32(t.z), of.stored(eps.batch), levels[0], levels[1], levels[2], levels[3]);
    }

    /** without + w (with - without) for [without ; with]. */
    Match guidance(int add) {
        Value without = uses.in(add, 0);
        Value scaled = uses.in(add, 1);
        double w = uses.factor(scaled);
        int sub = Double.isNaN(w) ? -1 : uses.maker(uses.in(uses.maker(scaled), 0));
        Value both = uses.is(sub, Kind.SUB) && uses.in(sub, 1).equals(without) ? of.halves(0, without, uses.in(sub, 0)) : null;
        Value eps = uses.instr(add).result();
        return both == null || of.stored(both).dtype() != of.stored(eps).dtype() ? null
                : of.match(instrs(add, uses.maker(scaled), sub), Sampler.guidance(w), eps, of.stored(both));
    }

    /** [c - w c ; w c] as zeros before and behind. */
    Match guidanceVjp(int add) {
        int[] pads = of.pads(0, add);
        int rest = pads == null ? -1 : uses.maker(uses.in(pads[0], 0));
        if (!uses.is(rest, Kind.ADD)) {
            return null;
        }
        Value c = uses.in(rest, 0);
        Value minus = uses.in(rest, 1);
        Value with = uses.in(pads[1], 0);
        double w = uses.factor(with);
        Value both = uses.instr(add).result();
        boolean fits = uses.factor(minus) == -w && uses.in(uses.maker(with), 0).equals(c) && uses.in(uses.maker(minus), 0).equals(c)
                && of.stored(c).dtype() == of.stored(both).dtype();
        return fits ? of.match(instrs(add, pads[0], pads[1], rest, uses.maker(with), uses.maker(minus)), Sampler.guidanceVjp(w), both, of.stored(c)) : null;
    }

    /** Part of a batch: all of a value, or one half of another. */
    private record Half(Value batch, int which) {
        /** The kernel that finds its operand in the batch. */
        GpuKernel of(GpuKernel k, int operand) {
            return which < 0 ? k : new GpuKernel(k.scratch(), p -> k.bind().apply(new Places(p, operand, which)));
        }
    }

    private Half half(Value x) {
        if (uses.op(x, Slice.class) instanceof Slice s && s.axis() == 0) {
            Value batch = uses.in(uses.maker(x), 0);
            int b = s.to() - s.from();
            if (batch.dim(0) == 2 * b && s.from() % b == 0 && x.shape().size() * 2 % 16 == 0) { // the second half starts at a multiple of 16 bytes
                return new Half(batch, s.from() / b);
            }
        }
        return new Half(x, -1);
    }

    private record Places(GpuKernel.Places all, int operand, int which) implements GpuKernel.Places {
        @Override
        public Buffer in(int i) {
            Buffer b = all.in(i);
            return i != operand ? b : new Buffer(b.name(), b.dtype(), b.shape().with(0, b.shape().dim(0) / 2), b.address() + which * b.bytes() / 2);
        }

        @Override
        public Buffer out(int i) {
            return all.out(i);
        }

        @Override
        public long scratch() {
            return all.scratch();
        }
    }
}
