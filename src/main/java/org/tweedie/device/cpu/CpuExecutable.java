// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Arguments;
import org.tweedie.device.ByteSize;
import org.tweedie.device.Executable;
import org.tweedie.device.Fitting;
import org.tweedie.device.MadeUp;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.CpuKernel;
import org.tweedie.device.cpu.loops.Floats;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Cost;
import org.tweedie.program.op.Op;
import org.tweedie.program.op.Reshape;
import org.tweedie.transform.Decompose;

/** A program as a list of prepared steps on one arena. */
public final class CpuExecutable implements Executable {
    private final CpuDevice device;
    private final Program program;
    private final Primitives primitives;
    private final List<PackedWeights.Entry> held = new ArrayList<>();
    private final Map<Integer, Tensor> constants = new HashMap<>(); // the constants by value, reshaped ones included
    private final Map<Tensor, Long> plain = new IdentityHashMap<>();
    final Runnable[] steps; // one per instruction; null where nothing moves
    private final int guard;
    private MemoryPlan plan;
    long arena;
    private boolean open = true;

    /**
     * Compiles a program.
     *
     * @param guard the unused bytes behind each buffer; tests look there for writes out of place
     */
    CpuExecutable(CpuDevice device, Program program, int guard) {
        this.device = device;
        this.guard = guard;
        this.primitives = new Primitives(device.rehearses);
        device.parallel.enter();
        try {
            this.program = fitted(Decompose.of(program, CpuLowering::lacks));
            this.steps = new Runnable[this.program.body().size()];
            prepare();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** What an instruction needs working memory for: its op, the types, and its weight if that is a constant. */
    private record Work(Op op, List<Type> in, List<Type> out, Tensor weight) {}

    /** The program in a form whose arena is within the device's limit. */
    private Program fitted(Program p) {
        p.constants().forEach(c -> constants.put(c.value().id(), c.data()));
        if (device.arenaLimit == Long.MAX_VALUE) {
            return p;
        }
        try (Primitives described = new Primitives(true)) {
            return fitted(p, lowering(p, described));
        } finally {
            Native.trim();
        }
    }

    private Program fitted(Program p, CpuLowering lowering) {
        Map<Work, Long> scratch = new HashMap<>();
        Map<Instr, Long> known = new IdentityHashMap<>(); // most instructions are the same objects in all forms
        Fitting fit = Fitting.of(p, form -> MemoryPlan.of(form, n -> known.computeIfAbsent(form.body().get(n),
                i -> scratch.computeIfAbsent(work(i), w -> scratch(kernel(lowering, i))))), v -> MemoryPlan.bytes(v.type()),
                device.arenaLimit);
        if (fit.bytes() > device.arenaLimit && !device.rehearses) {
            throw new IllegalArgumentException("device 'cpu': program '" + p.name() + "' needs an arena of at least "
                    + ByteSize.text(fit.bytes()) + ", but the limit is " + ByteSize.text(device.arenaLimit)
                    + "; give more with --memory, or take a smaller picture");
        }
        return fit.program();
    }

    private Work work(Instr i) {
        return new Work(i.op(), i.in().stream().map(Value::type).toList(), i.out().stream().map(Value::type).toList(),
                i.in().size() < 2 ? null : constants.get(i.in().get(1).id()));
    }

    private void prepare() {
        CpuKernel[] kernels = kernels();
        plan = MemoryPlan.of(program, n -> scratch(kernels[n]), guard);
        arena = device.arena.take(plan.bytes());
        for (int n = 0; n < steps.length; n++) {
            steps[n] = kernels[n] == null ? null : kernels[n].bind().apply(new At(program.body().get(n), n));
        }
    }

    private static long scratch(CpuKernel kernel) {
        return kernel == null ? 0 : kernel.scratch();
    }

    private CpuLowering lowering(Program p, Primitives primitives) {
        long bytes = p.constants().stream().mapToLong(c -> 4 * c.data().size()).sum();
        return new CpuLowering(primitives, device.parallel, bytes > device.layoutLimit,
                (t, from, to) -> hold(device.weights.packed(t, from, to)), v -> constants.get(v.id()));
    }

    private CpuKernel[] kernels() {
        CpuLowering lowering = lowering(program, primitives);
        return program.body().stream().map(i -> kernel(lowering, i)).toArray(CpuKernel[]::new);
    }

    private CpuKernel kernel(CpuLowering lowering, Instr i) {
        if (i.op() instanceof Reshape && constants.containsKey(i.in().getFirst().id())) {
            constants.put(i.result().id(), constants.get(i.in().getFirst().id()));
        }
        return lowering.of(i);
    }

    private long hold(PackedWeights.Entry e) {
        held.add(e);
        return e.address;
    }

    /** The addresses of the n-th instruction. */
    private final class At implements CpuKernel.Places {
        private final Instr instr;
        private final int n;

        At(Instr instr, int n) {
            this.instr = instr;
            this.n = n;
        }

        @Override
        public long in(int i) {
            return address(instr.in().get(i));
        }

        @Override
        public long out(int i) {
            return address(instr.out().get(i));
        }

        @Override
        public long scratch() {
            return plan.scratch(n) < 0 ? arena : arena + plan.scratch(n);
        }
    }

    long address(Value v) {
        Tensor constant = constants.get(v.id());
        return constant == null ? arena + plan.offset(v) : plain.computeIfAbsent(constant, t -> hold(device.weights.plain(t)));
    }

    @Override
    public Program program() {
        return program;
    }

    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs) {
        if (device.rehearses) {
            Arguments.check(program, inputs);
            return MadeUp.outputs(program);
        }
        synchronized (device.arena) {
            copyIn(inputs);
            if (device.times == null) {
                runSteps();
            } else {
                runTimed(device.times);
            }
            return copyOut();
        }
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
                Cost cost = i.cost();
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
            Floats.copy(inputs.get(i.name()), address(i.value()), device.parallel);
        }
    }

    Map<String, Tensor> copyOut() {
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (Program.Output o : program.outputs()) {
            int n = Math.toIntExact(o.value().shape().size());
            boolean whole = o.value().type().dtype() == DType.I64;
            MemorySegment to = whole ? MemorySegment.ofArray(new long[n]) : MemorySegment.ofArray(new float[n]);
            MemorySegment.copy(Native.ALL, address(o.value()), to, 0, to.byteSize());
            out.put(o.name(), new Tensor(whole ? DType.I64 : DType.F32, o.value().shape(), to));
        }
        return out;
    }

    @Override
    public long arenaBytes() {
        return plan.bytes();
    }

    @Override
    public long[] arenaInUse() {
        return plan.inUse();
    }

    /** Returns the plan that gives the places of the values. */
    public MemoryPlan plan() {
        return plan;
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            primitives.close();
            held.forEach(device.weights::release);
            if (arena != 0) {
                device.arena.release(plan.bytes());
            }
        }
    }
}
