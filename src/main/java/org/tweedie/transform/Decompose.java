// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Op;

/**
 * Replaces fused ops by the simpler ops that they stand for, so that a device needs no kernel of its own for an op that another
 * device fuses. The instructions of a decomposition keep the place in the model of the op that they replace.
 */
public final class Decompose {
    private Decompose() {}

    /**
     * The program without the ops that a device lacks; the same object where it has none of them.
     *
     * @param lacks tells which ops are to go; decompositions that hold such ops are decomposed in turn
     * @throws IllegalStateException when an op that is to go has no decomposition
     */
    public static Program of(Program p, Predicate<Op> lacks) {
        Program done = p;
        while (done.body().stream().map(Instr::op).anyMatch(lacks)) {
            done = once(done, lacks);
        }
        return done == p ? p : Simplify.of(done);
    }

    private static Program once(Program p, Predicate<Op> lacks) {
        Tracer t = new Tracer(p.name());
        Map<Value, Value> map = new HashMap<>();
        p.inputs().forEach(i -> map.put(i.value(), t.input(i.name(), i.value().type())));
        p.constants().forEach(c -> map.put(c.value(), t.constant(c.name(), c.data())));
        for (Instr i : p.body()) {
            List<Value> in = i.in().stream().map(map::get).toList();
            List<Value> out = lacks.test(i.op()) ? t.scope(i.where(), () -> List.of(i.op().decompose(t, in)))
                    : t.emit(i.op(), i.where(), in.toArray(Value[]::new));
            for (int k = 0; k < out.size(); k++) {
                map.put(i.out().get(k), out.get(k));
            }
        }
        p.outputs().forEach(o -> t.output(o.name(), map.get(o.value())));
        return t.finish();
    }
}
