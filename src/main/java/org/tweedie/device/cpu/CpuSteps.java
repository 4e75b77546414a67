// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.cpu.loops.Conversions;
import org.tweedie.device.cpu.loops.CpuKernel;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.storage.Crossing;
import org.tweedie.device.storage.Storage;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;
import org.tweedie.program.op.Reshape;

/** A program as steps, one for each instruction, all but addresses: kernels, the type of each value, and the memory plan. */
final class CpuSteps {
    /**
     * One instruction.
     *
     * @param in the values that it reads, of which an earlier step may have converted some
     * @param types the types in which it reads them
     * @param out its results, and behind them the copies of operands that it converts first
     * @param kernel null where nothing moves
     */
    record Step(Instr instr, List<Value> in, List<DType> types, List<Value> out, CpuKernel kernel) {}

    private final Map<Integer, Tensor> constants = new HashMap<>(); // by value, reshaped ones included
    private final List<Step> steps = new ArrayList<>();
    private final Storage storage;
    private final MemoryPlan memory;

    /** Makes the lowering of a program whose values are stored so and which has such constants. */
    interface Lowering {
        CpuLowering of(Storage storage, Map<Integer, Tensor> constants);
    }

    /**
     * Lowers a program.
     *
     * @param real the type in which the values of networks are stored: F32 or BF16
     * @param guard the unused bytes behind each buffer
     */
    CpuSteps(Program program, DType real, Parallel parallel, Lowering lowerings, int guard) {
        collectConstants(program);
        Storage stored = Storage.of(program, real);
        CpuLowering lowering = lowerings.of(stored, constants);
        Crossing crossing = new Crossing(program.values());
        program.body().forEach(i -> steps.add(step(i, lowering, stored, crossing, parallel)));
        this.storage = stored.with(crossing.copies());
        Program all = new Program(program.name(), program.inputs(), program.constants(), program.body(), program.outputs(),
                program.values() + crossing.copies().size());
        this.memory = MemoryPlan.of(all, steps.stream().map(CpuSteps::memoryStep).toList(),
                v -> v.shape().size() * storage.of(v).bytes(), guard);
    }

    private void collectConstants(Program program) {
        program.constants().forEach(c -> constants.put(c.value().id(), c.data()));
        for (Instr i : program.body()) {
            Tensor c = constants.get(i.in().getFirst().id());
            if (i.op() instanceof Reshape && c != null) {
                constants.put(i.result().id(), c);
            }
        }
    }

    private Step step(Instr i, CpuLowering lowering, Storage stored, Crossing crossing, Parallel parallel) {
        CpuKernel kernel = lowering.of(i);
        List<DType> wanted = lowering.wanted(i);
        if (kernel == null) {
            return new Step(i, i.in(), wanted, i.out(), null);
        }
        List<DType> types = new ArrayList<>();
        for (int k = 0; k < wanted.size(); k++) {
            types.add(isConstant(i.in().get(k)) ? wanted.get(k) : stored.of(i.in().get(k)));
        }
        Crossing.Crossed c = crossing.of(i.in(), types, wanted, i.out());
        return new Step(i, c.in(), types, c.out(), c.converted().isEmpty() ? kernel
                : Conversions.before(parallel, kernel, i.in(), types, i.out().size(), c.converted(), c.copy()));
    }

    private static MemoryPlan.Step memoryStep(Step s) {
        return new MemoryPlan.Step(s.in, s.out, MemoryPlan.sharing(s.instr.op()), s.kernel == null ? 0 : s.kernel.scratch());
    }

    boolean isConstant(Value v) {
        return constants.containsKey(v.id());
    }

    /** Returns the data of a constant, and null for other values. */
    Tensor constant(Value v) {
        return constants.get(v.id());
    }

    List<Step> list() {
        return steps;
    }

    /** Returns the type in which a value is stored. */
    DType type(Value v) {
        return storage.of(v);
    }

    MemoryPlan memory() {
        return memory;
    }
}
