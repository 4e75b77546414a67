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
 * @param in what the kernel reads, in its order
 * @param wanted the types in which it reads them
 * @param out what it writes that is read elsewhere
 * @param sharing whether its result may lie where an operand lies
 */
record Match(Set<Integer> instrs, List<Value> in, List<DType> wanted, List<Value> out, GpuKernel kernel, MemoryPlan.Sharing sharing) {
    Match {
        instrs = new TreeSet<>(instrs);
    }

    Match(Set<Integer> instrs, List<Value> in, List<DType> wanted, List<Value> out, GpuKernel kernel) {
        this(instrs, in, wanted, out, kernel, MemoryPlan.Sharing.NONE);
    }

    /** The same by a kernel that may write its result over its last operand. */
    Match overLast() {
        return new Match(instrs, in, wanted, out, kernel, MemoryPlan.Sharing.IN_PLACE_OF_LAST);
    }

    /** The same by a kernel that reads each element for the last time when it writes it. */
    Match inPlace() {
        return new Match(instrs, in, wanted, out, kernel, MemoryPlan.Sharing.IN_PLACE);
    }

    /** The first of its instructions. */
    int first() {
        return instrs.iterator().next();
    }
}
