// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.gpu.kernel.ElementwiseKernels;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.DType;
import org.tweedie.program.Value;

/**
 * Converts operands that are stored in another type than a kernel reads. The first kernel that wants a value in another type
 * converts it before it runs; the copy is a value of its own, and all kernels that want that type read it.
 */
public final class Crossing {
    private record Key(int value, DType dtype) {}

    /** A value that no instruction makes. */
    public record Copy(Value of, DType dtype, Value value) {}

    private final Map<Key, Copy> made = new HashMap<>();
    private final List<Copy> copies = new ArrayList<>();
    private final int first;

    /** @param first number of the first copy */
    public Crossing(int first) {
        this.first = first;
    }

    /** The copies, in the order of their numbers. */
    public List<Copy> copies() {
        return copies;
    }

    /**
     * A group that converts its operands first, where need be; groups are to be passed in their order.
     *
     * @param stored types of the operands; constants have the wanted one
     */
    public Group around(Group g, List<DType> stored) {
        List<Value> in = new ArrayList<>(g.in());
        List<Value> out = new ArrayList<>(g.out());
        List<Integer> converted = new ArrayList<>(); // operands, one for each new copy; these come behind the results
        int[] at = new int[in.size()]; // among the results; -1: an operand
        for (int k = 0; k < at.length; k++) {
            DType wanted = g.wanted().get(k);
            at[k] = -1;
            if (stored.get(k) == wanted) {
                continue;
            }
            Copy known = made.get(new Key(in.get(k).id(), wanted));
            Copy copy = known == null ? copy(in.get(k), wanted) : known;
            at[k] = out.indexOf(copy.value);
            if (known == null) {
                at[k] = out.size();
                out.add(copy.value);
                converted.add(k);
            } else if (at[k] < 0) {
                in.set(k, copy.value);
            }
        }
        return in.equals(g.in()) && converted.isEmpty() ? g : new Group(g.instrs(), in, g.wanted(), out, g.sharing(),
                around(g.kernel(), g.out().size(), converted, at));
    }

    private Copy copy(Value v, DType dtype) {
        Copy c = new Copy(v, dtype, new Value(first + copies.size(), v.type()));
        made.put(new Key(v.id(), dtype), c);
        copies.add(c);
        return c;
    }

    private static GpuKernel around(GpuKernel k, int results, List<Integer> converted, int[] at) {
        return new GpuKernel(k.scratch(), p -> {
            List<PlanStep> steps = new ArrayList<>();
            for (int i = 0; i < converted.size(); i++) {
                steps.add(ElementwiseKernels.cast(p.in(converted.get(i)), p.out(results + i)));
            }
            steps.addAll(k.bind().apply(new Places(at, p)));
            return steps;
        });
    }

    private record Places(int[] at, GpuKernel.Places rest) implements GpuKernel.Places {
        @Override
        public Buffer in(int i) {
            return at[i] < 0 ? rest.in(i) : rest.out(at[i]);
        }

        @Override
        public Buffer out(int i) {
            return rest.out(i);
        }

        @Override
        public long scratch() {
            return rest.scratch();
        }
    }
}
