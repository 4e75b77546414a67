// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Arguments;
import org.tweedie.device.Executable;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.device.gpu.plan.Constant;
import org.tweedie.device.gpu.plan.Elements;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.ptx.launch.Counts;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.Memory;

/**
 * Runs a plan on the PTX machine. The machine knows at each moment which bytes of the arena hold what a step may read: results
 * from when they are written, until their last reader is done.
 */
public final class SimExecutable implements Executable {
    private static final byte NAN = (byte) 0xFF; // such bytes are NaN in every real type

    private final SimDevice device;
    private final Plan plan;
    private final int guard;
    private final Map<Constant, Long> constants = new HashMap<>();
    private final Counts counts = new Counts();
    private long arena;
    private Plan.Bound bound;
    private List<Plan.Stage> stages;
    private boolean open = true;

    SimExecutable(SimDevice device, Plan plan, int guard) {
        this.device = device;
        this.plan = plan;
        this.guard = guard;
        try {
            plan.constants().forEach(c -> constants.put(c, device.constants.hold(c)));
            arena = device.allocate(plan.memory().bytes(), "the arena of program '" + plan.program().name() + "'");
            bound = plan.bind(arena, constants::get);
            stages = bound.stages();
            segment(arena, plan.memory().bytes()).fill(NAN);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private static MemorySegment segment(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    @Override
    public Program program() {
        return plan.program();
    }

    /** The plan that it runs. */
    public Plan plan() {
        return plan;
    }

    /** The steps that it runs, in order. */
    List<PlanStep> steps() {
        return stages.stream().flatMap(s -> s.steps().stream()).toList();
    }

    /** The counts of the machine over all runs. */
    public Counts counts() {
        return counts;
    }

    /** @throws KernelFault naming the instruction whose kernel does what it must not */
    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs) {
        if (!open) {
            throw new IllegalStateException("program '" + program().name() + "' is closed on device 'sim'; compile it again");
        }
        Arguments.check(program(), inputs);
        copyIn(inputs);
        for (Plan.Stage s : stages) {
            try {
                run(s);
            } catch (KernelFault e) {
                throw new KernelFault(e.kind(), "program '" + program().name() + "', " + s.group() + ": " + e.getMessage());
            }
        }
        return copyOut();
    }

    private void copyIn(Map<String, Tensor> inputs) {
        Memory memory = device.simulator.memory();
        memory.forget(arena, plan.memory().bytes());
        for (Program.Input i : program().inputs()) {
            Buffer b = bound.of(i.value());
            Elements.pack(inputs.get(i.name()), 0, b.dtype(), segment(b.address(), b.bytes()));
            memory.wrote(b.address(), b.bytes());
        }
    }

    private void run(Plan.Stage stage) {
        Memory memory = device.simulator.memory();
        for (PlanStep step : stage.steps()) {
            switch (step) {
                case Launch l -> counts.add(device.simulator.launch(l));
                case LibraryCall c -> call(c);
            }
        }
        for (MemoryPlan.Range dead : plan.memory().ends(stage.number())) {
            memory.forget(arena + dead.offset(), dead.bytes());
        }
    }

    private void call(LibraryCall c) {
        Memory memory = device.simulator.memory();
        c.in().forEach(b -> requireWritten(b, c));
        c.out().forEach(b -> memory.forget(b.address(), b.bytes()));
        device.library.run(c);
        c.out().forEach(b -> memory.wrote(b.address(), b.bytes()));
    }

    private void requireWritten(Buffer b, Object reader) {
        if (!device.simulator.memory().written(b.address(), b.bytes())) {
            throw new KernelFault(KernelFault.Kind.UNINITIALISED, reader + " reads " + b + ", not all of which has been written");
        }
    }

    private Map<String, Tensor> copyOut() {
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (Program.Output o : program().outputs()) {
            Buffer b = bound.of(o.value());
            requireWritten(b, "output '" + o.name() + "' of program '" + program().name() + "'");
            Tensor stored = new Tensor(b.dtype(), b.shape(), segment(b.address(), b.bytes()));
            boolean whole = b.dtype() == DType.I64;
            out.put(o.name(), whole ? Tensor.of(b.shape(), stored.longs()) : Tensor.of(b.shape(), stored.floats()));
        }
        return out;
    }

    @Override
    public long arenaBytes() {
        return plan.memory().bytes();
    }

    /** Tells whether the bytes behind each buffer are as they were at the start. */
    boolean guardsIntact() {
        return plan.memory().guards().stream().allMatch(at -> {
            boolean intact = true;
            for (byte b : segment(arena + at, guard).toArray(ValueLayout.JAVA_BYTE)) {
                intact &= b == NAN;
            }
            return intact;
        });
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            constants.keySet().forEach(device.constants::release);
            if (arena != 0) {
                device.free(arena);
            }
        }
    }
}
