// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** Forward mode: appends the push-forward of what a tracer has recorded. */
public final class Jvp {
    private final Tracer t;
    private final Map<Value, Value> tangents;

    private Jvp(Tracer t, Map<Value, Value> tangents) {
        this.t = t;
        this.tangents = tangents;
    }

    /** Tangents of {@code of}, given those of some earlier values: J t. Zeros where nothing depends on them. */
    public static Value[] push(Tracer t, Map<Value, Value> seeds, Value... of) {
        Jvp j = new Jvp(t, new HashMap<>(seeds));
        j.walk(0, t.body().size());
        Value[] out = new Value[of.length];
        for (int i = 0; i < out.length; i++) {
            Value v = j.tangents.get(of[i]);
            out[i] = v == null ? t.zeros(of[i].shape()) : v;
        }
        return out;
    }

    /**
     * The program with an input {@code tangent} for one of its inputs and an output {@code jvp}: the push-forward to one of its
     * outputs.
     */
    public static Program of(Program f, String input, String output) {
        Tracer t = new Tracer(f.name() + ".jvp");
        Map<String, Value> args = new HashMap<>();
        f.inputs().forEach(i -> args.put(i.name(), t.input(i.name(), i.value().type())));
        Value[] map = t.inline(f, args);
        f.outputs().forEach(o -> t.output(o.name(), map[o.value().id()]));
        Value x = args.get(input);
        Value tangent = t.input(t.freeInput("tangent"), x.type());
        t.output(t.freeOutput("jvp"), push(t, Map.of(x, tangent), map[f.output(output).id()])[0]);
        return Simplify.of(t.finish());
    }

    private void walk(int from, int to) {
        for (int n = from; n < to; n++) {
            Instr i = t.body().get(n);
            Value[] in = i.in().stream().map(tangents::get).toArray(Value[]::new);
            boolean any = false;
            for (Value v : in) {
                any |= v != null;
            }
            if (any) {
                pushForward(i, in);
            }
        }
    }

    private void pushForward(Instr i, Value[] in) {
        Value[] d = t.scope(i.where(), () -> i.op().jvp(t, i, in));
        if (d == null) {
            int from = t.body().size();
            Value[] out = t.scope(i.where(), () -> i.op().decompose(t, i.in()));
            walk(from, t.body().size());
            d = new Value[out.length];
            for (int k = 0; k < d.length; k++) {
                d[k] = tangents.get(out[k]);
            }
        }
        for (int k = 0; k < d.length; k++) {
            if (d[k] != null) {
                tangents.put(i.out().get(k), d[k]);
            }
        }
    }
}
