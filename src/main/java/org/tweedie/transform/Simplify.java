// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Value;
import org.tweedie.program.op.Affine;
import org.tweedie.program.op.HutchinsonEstimateVjp;
import org.tweedie.program.op.Op;
import org.tweedie.program.op.Reshape;

/**
 * Drops instructions that no output needs and those that compute a value for the second time, and joins chains of reshapes and of
 * scalings. The results of the program stay the same.
 */
public final class Simplify {
    private record Key(Op op, List<Value> in) {}

    private Simplify() {}

    /** Returns a program that computes the same in fewer instructions. */
    public static Program of(Program p) {
        Map<Value, Value> same = new HashMap<>();
        Map<Key, Instr> seen = new HashMap<>();
        Map<Value, Instr> makers = new HashMap<>();
        List<Instr> body = new ArrayList<>();
        for (Instr raw : p.body()) {
            List<Value> in = raw.in().stream().map(v -> same.getOrDefault(v, v)).toList();
            Instr i = joined(new Instr(raw.op(), in, raw.out(), raw.where()), makers);
            Value alias = identity(i);
            Instr twin = seen.putIfAbsent(new Key(i.op(), i.in()), i);
            if (alias != null) {
                same.put(i.result(), alias);
            } else if (twin != null) {
                for (int k = 0; k < i.out().size(); k++) {
                    same.put(i.out().get(k), twin.out().get(k));
                }
            } else {
                body.add(i);
                i.out().forEach(v -> makers.put(v, i));
            }
        }
        List<Program.Output> outputs = p.outputs().stream()
                .map(o -> new Program.Output(o.name(), same.getOrDefault(o.value(), o.value()))).toList();
        return live(p, body, outputs);
    }

    /**
     * A reshape of a reshape, a scaling of a scaling or the use of a scaled weight becomes one instruction that reads the first
     * one's input.
     */
    private static Instr joined(Instr i, Map<Value, Instr> makers) {
        Instr before = i.in().isEmpty() ? null : makers.get(i.in().getFirst());
        if (i.op() instanceof HutchinsonEstimateVjp e) {
            return scaled(i, e, makers.get(i.in().get(1)));
        }
        if (before == null) {
            return i;
        }
        if (i.op() instanceof Reshape && before.op() instanceof Reshape) {
            return new Instr(i.op(), before.in(), i.out(), i.where());
        }
        if (i.op() instanceof Affine a && before.op() instanceof Affine b) {
            return new Instr(new Affine(a.scale() * b.scale(), a.scale() * b.shift() + a.shift()), before.in(), i.out(),
                    i.where());
        }
        return i;
    }

    /** The pull-back of a trace estimate multiplies the trace's cotangent, so it takes over the factor of a scaled one. */
    private static Instr scaled(Instr i, HutchinsonEstimateVjp e, Instr weight) {
        if (weight == null || !(weight.op() instanceof Affine a) || a.shift() != 0) {
            return i;
        }
        List<Value> in = new ArrayList<>(i.in());
        in.set(1, weight.in().getFirst());
        return new Instr(new HutchinsonEstimateVjp(e.factor() * a.scale()), in, i.out(), i.where());
    }

    /** The value that an instruction merely repeats, or null. */
    private static Value identity(Instr i) {
        return i.op() instanceof Reshape r && i.in().getFirst().shape().equals(r.to()) ? i.in().getFirst() : null;
    }

    private static Program live(Program p, List<Instr> body, List<Program.Output> outputs) {
        boolean[] used = new boolean[p.values()];
        outputs.forEach(o -> used[o.value().id()] = true);
        List<Instr> kept = new ArrayList<>();
        for (Instr i : body.reversed()) {
            if (i.out().stream().anyMatch(v -> used[v.id()])) {
                i.in().forEach(v -> used[v.id()] = true);
                kept.add(i);
            }
        }
        List<Program.Constant> constants = p.constants().stream().filter(c -> used[c.value().id()]).toList();
        return new Program(p.name(), p.inputs(), constants, kept.reversed(), outputs, p.values());
    }
}
