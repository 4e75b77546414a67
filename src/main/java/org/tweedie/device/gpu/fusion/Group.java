// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.List;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.gpu.kernel.GpuLowering;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.storage.Storage;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Value;

/**
 * One instruction, or several that one kernel does together. Values that are made and read within it only
 * have no place in memory.
 *
 * @param in the values that it reads, in the order of its kernel's operands
 * @param wanted the types in which the kernel reads them
 * @param out the values that it makes and that others read
 * @param sharing whether its result may take the place of an operand
 * @param kernel null where nothing moves
 */
public record Group(List<Instr> instrs, List<Value> in, List<DType> wanted, List<Value> out, MemoryPlan.Sharing sharing,
        GpuKernel kernel) {
    public Group {
        instrs = List.copyOf(instrs);
        in = List.copyOf(in);
        wanted = List.copyOf(wanted);
        out = List.copyOf(out);
    }

    /** One instruction alone. */
    static Group of(Instr i, Storage storage, Offer offer) {
        GpuKernel kernel = GpuLowering.of(i, storage.of(i.out().getFirst()), offer);
        return new Group(List.of(i), i.in(), storage.wanted(i), i.out(), MemoryPlan.sharing(i.op()), kernel);
    }

    /** The place in the model and the ops, for messages. */
    @Override
    public String toString() {
        Instr last = instrs.getLast();
        return (last.where().isEmpty() ? "" : last.where() + ": ") + instrs.stream().map(i -> i.op().toString()).toList();
    }
}
