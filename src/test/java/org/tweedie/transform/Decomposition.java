// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.OpCase;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.AttentionJvp;
import org.tweedie.program.op.AttentionVjp;
import org.tweedie.program.op.GroupNorm;
import org.tweedie.program.op.GroupNormJvp;
import org.tweedie.program.op.GroupNormVjp;

/** Compares the fused ops of a program with what they decompose into. */
final class Decomposition {
    private Decomposition() {}

    static void check(Program f, OpCase c) {
        Tracer t = new Tracer("decomposed");
        Map<String, Value> args = new HashMap<>();
        f.inputs().forEach(i -> args.put(i.name(), t.input(i.name(), i.value().type())));
        t.inline(f, args);
        int compared = 0;
        for (Instr i : java.util.List.copyOf(t.body())) {
            if (i.op() instanceof GroupNorm || i.op() instanceof GroupNormVjp || i.op() instanceof GroupNormJvp
                    || i.op() instanceof AttentionVjp || i.op() instanceof AttentionJvp) {
                Value[] out = i.op().decompose(t, i.in());
                for (int k = 0; k < out.length; k++) {
                    t.output("fused" + compared, i.out().get(k));
                    t.output("plain" + compared++, out[k]);
                }
            }
        }
        assertTrue(compared > 0, "nothing fused in " + f);
        Map<String, Tensor> in = new HashMap<>(c.inputs(5));
        f.inputs().forEach(i -> in.computeIfAbsent(i.name(), n -> OpCase.random(i.value().shape(), 9)));
        Map<String, Tensor> out = DirectionCheck.run(t.finish(), in);
        for (int n = 0; n < compared; n++) {
            double[] a = out.get("fused" + n).doubles();
            double[] b = out.get("plain" + n).doubles();
            for (int i = 0; i < a.length; i++) {
                assertEquals(b[i], a[i], 1e-10 * (1 + Math.abs(b[i])), f.name());
            }
        }
    }
}
