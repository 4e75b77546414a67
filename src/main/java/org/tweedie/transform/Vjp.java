// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * Reverse mode: appends the pull-back of what a tracer has recorded. Derivatives go to the values asked for, never to constants.
 */
public final class Vjp {
    private final Tracer t;
    private final Map<Value, Value> cotangents = new HashMap<>();

    private Vjp(Tracer t) {
        this.t = t;
    }

    /**
     * Cotangents of {@code wrt}, given those of some results: J^T c.
     *
     * @param seeds a cotangent for each result from which to pull back, of the same shape
     * @return one per value of {@code wrt}; zeros where nothing depends on it
     */
    public static Value[] pull(Tracer t, Map<Value, Value> seeds, Value... wrt) {
        Vjp v = new Vjp(t);
        v.cotangents.putAll(seeds);
        Set<Value> active = new HashSet<>(List.of(wrt));
        v.walk(0, t.body().size(), active);
        Value[] out = new Value[wrt.length];
        for (int i = 0; i < out.length; i++) {
            Value c = v.cotangents.get(wrt[i]);
            out[i] = c == null ? t.zeros(wrt[i].shape()) : c;
        }
        return out;
    }

    /**
     * The program with an input {@code cotangent} for one of its outputs and an output {@code grad}: its pull-back to one of its
     * inputs. A name that is taken gets a 2.
     */
    public static Program of(Program f, String output, String wrt) {
        Tracer t = new Tracer(f.name() + ".vjp");
        Map<String, Value> args = new HashMap<>();
        f.inputs().forEach(i -> args.put(i.name(), t.input(i.name(), i.value().type())));
        Value[] map = t.inline(f, args);
        f.outputs().forEach(o -> t.output(o.name(), map[o.value().id()]));
        Value y = map[f.output(output).id()];
        Value c = t.input(t.freeInput("cotangent"), y.type());
        t.output(t.freeOutput("grad"), pull(t, Map.of(y, c), args.get(wrt))[0]);
        return Simplify.of(t.finish());
    }

    /** Pulls back through the instructions [from, to), extending {@code active} by all that depends on it. */
    private void walk(int from, int to, Set<Value> active) {
        for (Instr i : t.body().subList(from, to)) {
            if (i.in().stream().anyMatch(active::contains)) {
                active.addAll(i.out());
            }
        }
        for (int n = to - 1; n >= from; n--) {
            Instr i = t.body().get(n);
            boolean[] wanted = new boolean[i.in().size()];
            boolean any = false;
            for (int k = 0; k < wanted.length; k++) {
                wanted[k] = active.contains(i.in().get(k));
                any |= wanted[k];
            }
            Value[] c = i.out().stream().map(cotangents::get).toArray(Value[]::new);
            if (any && hasOne(c)) {
                pullBack(i, c, wanted, active);
            }
        }
    }

    private void pullBack(Instr i, Value[] c, boolean[] wanted, Set<Value> active) {
        Value[] d = t.scope(i.where(), () -> i.op().vjp(t, i, c, wanted));
        if (d == null) {
            int from = t.body().size();
            Value[] out = t.scope(i.where(), () -> i.op().decompose(t, i.in()));
            for (int k = 0; k < out.length; k++) {
                if (c[k] != null) {
                    cotangents.merge(out[k], c[k], t::add);
                }
            }
            walk(from, t.body().size(), active);
            return;
        }
        for (int k = 0; k < d.length; k++) {
            if (wanted[k] && d[k] != null) {
                cotangents.merge(i.in().get(k), d[k], t::add);
            }
        }
    }

    private static boolean hasOne(Value[] values) {
        for (Value v : values) {
            if (v != null) {
                return true;
            }
        }
        return false;
    }
}
