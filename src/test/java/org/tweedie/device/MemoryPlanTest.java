// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Reshape;

/** No plan lets one value overwrite another that is still to be read. */
class MemoryPlanTest {
    /** A random chain of elementwise ops, sums, reshapes, concatenations and upsamplings. */
    private static Program random(long seed) {
        Random r = new Random(seed);
        Tracer t = new Tracer("random");
        List<Value> values = new ArrayList<>();
        values.add(t.input("a", Type.real(1, 4, 4, 8)));
        values.add(t.input("b", Type.real(1, 4, 4, 8)));
        values.add(t.constant("c", Tensor.of(Shape.of(1, 4, 4, 8), new float[128])));
        for (int i = 0; i < 5 + r.nextInt(40); i++) {
            Value x = values.get(r.nextInt(values.size()));
            Value y = values.get(r.nextInt(values.size()));
            values.add(switch (r.nextInt(7)) {
                case 0 -> t.silu(x);
                case 1 -> x.shape().equals(y.shape()) ? t.add(x, y) : t.affine(x, 2, 1);
                case 2 -> t.reshape(x, Shape.of((int) x.shape().size()));
                case 3 -> x.shape().rank() == 4 && x.dim(1) < 16 ? t.upsample(x, 2) : t.silu(x);
                case 4 -> t.mul(x, t.sum(x, 0));
                case 5 -> x.shape().equals(y.shape()) ? t.concat(-1, x, y) : t.silu(y);
                default -> t.sum(x, -1);
            });
        }
        t.output("y", values.getLast());
        t.output("z", values.get(r.nextInt(values.size())));
        return t.finish();
    }

    /** Runs the plan on paper: each byte remembers who wrote it; whoever reads must find its own. */
    @Property(tries = 300)
    void everyReadFindsWhatWasWritten(@ForAll long seed) {
        Program p = random(seed);
        Random r = new Random(seed);
        long[] scratch = p.body().stream().mapToLong(i -> r.nextInt(3) == 0 ? r.nextInt(3000) : 0).toArray();
        MemoryPlan plan = MemoryPlan.of(p, n -> scratch[n]);
        int[] owner = new int[Math.toIntExact(plan.bytes())];
        Map<Integer, Integer> root = new HashMap<>();
        p.inputs().forEach(i -> write(plan, i.value(), i.value().id() + 1, owner));
        for (int n = 0; n < p.body().size(); n++) {
            Instr i = p.body().get(n);
            i.in().forEach(v -> read(plan, v, root, owner));
            if (scratch[n] > 0) {
                int at = Math.toIntExact(plan.scratch(n));
                java.util.Arrays.fill(owner, at, at + (int) scratch[n], -1);
                i.in().forEach(v -> read(plan, v, root, owner));
            }
            if (i.op() instanceof Reshape) {
                Value x = i.in().getFirst();
                root.put(i.result().id(), root.getOrDefault(x.id(), x.id()));
                assertEquals(plan.offset(x), plan.offset(i.result()));
            } else {
                i.out().forEach(v -> write(plan, v, v.id() + 1, owner));
            }
        }
        p.outputs().forEach(o -> read(plan, o.value(), root, owner));
    }

    private static void write(MemoryPlan plan, Value v, int who, int[] owner) {
        int at = Math.toIntExact(plan.offset(v));
        java.util.Arrays.fill(owner, at, at + (int) MemoryPlan.bytes(v.type()), who);
    }

    private static void read(MemoryPlan plan, Value v, Map<Integer, Integer> root, int[] owner) {
        long at = plan.offset(v);
        for (long i = at; at >= 0 && i < at + MemoryPlan.bytes(v.type()); i++) {
            assertEquals(root.getOrDefault(v.id(), v.id()) + 1, owner[(int) i], "value " + v + " was overwritten");
        }
    }

    /** A chain of activations needs one place only. */
    @Property(tries = 1)
    void elementwiseChainsStayInPlace() {
        Tracer t = new Tracer("chain");
        Value x = t.input("x", Type.real(1000));
        for (int i = 0; i < 5; i++) {
            x = t.silu(x);
        }
        t.output("y", x);
        assertTrue(MemoryPlan.of(t.finish(), n -> 0).bytes() <= 4096);
    }
}
