// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Arguments;
import org.tweedie.device.Executable;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.CpuKernel;
import org.tweedie.device.cpu.loops.Floats;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;
import org.tweedie.program.op.Cost;
import org.tweedie.transform.Decompose;

/** A program as a list of prepared steps on one arena. */
public final class CpuExecutable implements Executable {
    /** A constant in a type. */
    private record Plain(int value, DType as) {}

    private final CpuDevice device;
    private final Program program;
    private final Primitives primitives;
    private final List<PackedWeights.Entry> held = new ArrayList<>();
    private final Map<Plain, Long> plain = new HashMap<>(); // the addresses of row-major constants
    final Runnable[] steps; // one per instruction; null where nothing moves
    private final int guard;
    private CpuSteps lowered;
    long arena;
    private boolean open = true;

    /**
     * Compiles a program.
     *
     * @param guard the unused bytes behind each buffer; tests look there for writes out of place
     */
    CpuExecutable(CpuDevice device, Program program, int guard) {
        this.device = device;
        this.program = Decompose.of(program, CpuLowering::lacks);
        this.primitives = new Primitives(device.processors);
        this.guard = guard;
        this.steps = new Runnable[this.program.body().size()];
        device.parallel.enter();
        try {
            prepare();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        } finally {
            device.weights.unstage();
        }
    }

    private void prepare() {
        long bytes = program.constants().stream().mapToLong(c -> 4 * c.data().size()).sum();
        lowered = new CpuSteps(program, device.real, device.parallel, (storage, constants) -> new CpuLowering(primitives,
                device.parallel, storage, device.brainProducts, bytes > device.layoutLimit,
                (t, as, from, to) -> hold(device.weights.packed(t, as, from, to)), v -> constants.get(v.id())), guard);
        arena = device.heap.allocate(plan().bytes());
        for (int n = 0; n < steps.length; n++) {
            CpuSteps.Step s = lowered.list().get(n);
            steps[n] = s.kernel() == null ? null : s.kernel().bind().apply(new At(s, n));
        }
    }

    private long hold(PackedWeights.Entry e) {
        held.add(e);
        return e.address;
    }

    /** The addresses of the n-th instruction. */
    private final class At implements CpuKernel.Places {
        private final CpuSteps.Step step;
        private final int n;

        At(CpuSteps.Step step, int n) {
            this.step = step;
            this.n = n;
        }

        @Override
        public long in(int i) {
            return address(step.in().get(i), step.types().get(i));
        }

        @Override
        public long out(int i) {
            return address(step.out().get(i));
        }

        @Override
        public long scratch() {
            return plan().scratch(n) < 0 ? arena : arena + plan().scratch(n);
        }
    }

    /** Returns the address of an input, a result or an output; of a constant it is that in its own type. */
    long address(Value v) {
        return address(v, v.type().dtype());
    }

    /** @param as the type in which a constant is wanted */
    private long address(Value v, DType as) {
        Tensor constant = lowered.constant(v);
        return constant == null ? arena + plan().offset(v) : plain.computeIfAbsent(new Plain(v.id(), as),
                p -> hold(device.weights.plain(constant, as)));
    }

    /** Returns the type of the numbers at {@link #address(Value)}. */
    DType stored(Value v) {
        return lowered.isConstant(v) ? v.type().dtype() : lowered.type(v);
    }

    @Override
    public Program program() {
        return program;
    }

    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs) {
        copyIn(inputs);
        if (device.times == null) {
            runSteps();
        } else {
            runTimed(device.times);
        }
        return copyOut();
    }

    /** Runs only the steps, on the present content of the arena, which is what a benchmark times. */
    void runSteps() {
        for (Runnable step : steps) {
            if (step != null) {
                step.run();
            }
        }
    }

    private void runTimed(OpTimes times) {
        long start = System.nanoTime();
        long last = start;
        for (int n = 0; n < steps.length; n++) {
            if (steps[n] != null) {
                steps[n].run();
                long now = System.nanoTime();
                Instr i = program.body().get(n);
                Cost cost = i.op().cost(i.in().stream().map(Value::type).toList(), i.out().stream().map(Value::type).toList());
                times.add(new OpTimes.Op(program.name(), i.where(), i.op().getClass().getSimpleName(), "", cost),
                        (now - last) / 1e9);
                last = now;
            }
        }
        times.addRun(program.name(), (last - start) / 1e9);
    }

    void copyIn(Map<String, Tensor> inputs) {
        if (!open) {
            throw new IllegalStateException("program '" + program.name() + "' is closed on device 'cpu'; compile it again");
        }
        Arguments.check(program, inputs);
        device.parallel.enter();
        for (Program.Input i : program.inputs()) {
            Floats.copy(inputs.get(i.name()), i.value().type().dtype(), address(i.value()), device.parallel);
        }
    }

    Map<String, Tensor> copyOut() {
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (Program.Output o : program.outputs()) {
            out.put(o.name(), Floats.read(address(o.value()), stored(o.value()), o.value().shape()));
        }
        return out;
    }

    @Override
    public long arenaBytes() {
        return plan().bytes();
    }

    /** Returns the plan that gives the places of the values. */
    public MemoryPlan plan() {
        return lowered.memory();
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            primitives.close();
            held.forEach(device.weights::release);
            if (arena != 0) {
                device.heap.free(arena, plan().bytes());
            }
        }
    }
}
