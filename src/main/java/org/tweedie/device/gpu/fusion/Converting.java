// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.kernel.ElementwiseKernels;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.device.storage.Crossing;
import org.tweedie.program.DType;

/** Puts the conversion of operands before the kernel of a group that wants them in another type than they are stored in. */
public final class Converting {
    private Converting() {}

    /**
     * A group that converts its operands first, where need be; groups are to be passed in their order.
     *
     * @param stored types of the operands; constants have the wanted one
     */
    public static Group around(Group g, List<DType> stored, Crossing crossing) {
        Crossing.Crossed c = crossing.of(g.in(), stored, g.wanted(), g.out());
        return c.in().equals(g.in()) && c.converted().isEmpty() ? g : new Group(g.instrs(), c.in(), g.wanted(), c.out(),
                g.sharing(), around(g.kernel(), g.out().size(), c.converted(), c.copy()));
    }

    private static GpuKernel around(GpuKernel k, int results, List<Integer> converted, int[] copy) {
        return new GpuKernel(k.scratch(), p -> {
            List<PlanStep> steps = new ArrayList<>();
            for (int i = 0; i < converted.size(); i++) {
                steps.add(ElementwiseKernels.cast(p.in(converted.get(i)), p.out(results + i)));
            }
            steps.addAll(k.bind().apply(new Places(copy, p)));
            return steps;
        });
    }

    private record Places(int[] copy, GpuKernel.Places rest) implements GpuKernel.Places {
        @Override
        public Buffer in(int i) {
            return copy[i] < 0 ? rest.in(i) : rest.out(copy[i]);
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
