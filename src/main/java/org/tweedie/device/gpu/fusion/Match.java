// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.program.DType;
import org.tweedie.program.Value;

/**
 * Instructions of a program that one kernel may do together.
 *
 * @param instrs their numbers: those whose results nothing else reads, and those that make {@code out}
 * @param in the values that the kernel reads, in the order of its operands
 * @param wanted the types in which it reads them
 * @param out the values that it writes and that others read
 * @param sharing whether its result may take the place of an operand
 */
record Match(Set<Integer> instrs, List<Value> in, List<DType> wanted, List<Value> out, GpuKernel kernel,
        MemoryPlan.Sharing sharing) {
    Match {
        instrs = new TreeSet<>(instrs);
    }

    Match(Set<Integer> instrs, List<Value> in, List<DType> wanted, List<Value> out, GpuKernel kernel) {
        this(instrs, in, wanted, out, kernel, MemoryPlan.Sharing.NONE);
    }

    /** This match, whose kernel may write its result over its last operand. */
    Match overLast() {
        return new Match(instrs, in, wanted, out, kernel, MemoryPlan.Sharing.IN_PLACE_OF_LAST);
    }

    /** This match, whose kernel reads each element for the last time when it writes it. */
    Match inPlace() {
        return new Match(instrs, in, wanted, out, kernel, MemoryPlan.Sharing.IN_PLACE);
    }

    /** The first of its instructions. */
    int first() {
        return instrs.iterator().next();
    }
}
