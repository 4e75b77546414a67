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
import org.tweedie.device.Executable;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.CpuKernel;
import org.tweedie.device.cpu.loops.Floats;
import org.tweedie.device.cpu.loops.VectorMath;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;
import org.tweedie.program.op.Cost;
import org.tweedie.program.op.Reshape;

/** A program as a list of prepared steps on one arena. */
public final class CpuExecutable implements Executable {
    private static final int NAN = Float.floatToRawIntBits(Float.NaN);

    private final CpuDevice device;
    private final Program program;
    private final Primitives primitives = new Primitives();
    private final List<PackedWeights.Entry> held = new ArrayList<>();
    private final Map<Integer, Tensor> constants = new HashMap<>(); // the constants by value, reshaped ones included
    private final Map<Tensor, Long> plain = new IdentityHashMap<>();
    private final Runnable[] steps; // one per instruction; null where nothing moves
    private final int guard;
    private MemoryPlan plan;
    private long arena;
    private boolean open = true;

    CpuExecutable(CpuDevice device, Program program, int guard) {
        this.device = device;
        this.program = program;
        this.guard = guard;
        this.steps = new Runnable[program.body().size()];
        device.parallel.enter();
        try {
            prepare();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void prepare() {
        program.constants().forEach(c -> constants.put(c.value().id(), c.data()));
        CpuKernel[] kernels = kernels();
        plan = MemoryPlan.of(program, n -> kernels[n] == null ? 0 : kernels[n].scratch(), guard);
        arena = device.heap.allocate(plan.bytes());
        if (guard > 0) {
            fillArena();
        }
        for (int n = 0; n < steps.length; n++) {
            steps[n] = kernels[n] == null ? null : kernels[n].bind().apply(new At(program.body().get(n), n));
        }
    }

    private CpuKernel[] kernels() {
        long bytes = program.constants().stream().mapToLong(c -> 4 * c.data().size()).sum();
        CpuLowering lowering = new CpuLowering(primitives, device.parallel, bytes > device.layoutLimit,
                (t, from, to) -> hold(device.weights.packed(t, from, to)), v -> constants.get(v.id()));
        CpuKernel[] kernels = new CpuKernel[steps.length];
        for (int n = 0; n < kernels.length; n++) {
            Instr i = program.body().get(n);
            if (i.op() instanceof Reshape && constants.containsKey(i.in().getFirst().id())) {
                constants.put(i.result().id(), constants.get(i.in().getFirst().id()));
            }
            kernels[n] = lowering.of(i);
        }
        return kernels;
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

    private long address(Value v) {
        Tensor constant = constants.get(v.id());
        return constant == null ? arena + plan.offset(v) : plain.computeIfAbsent(constant, t -> hold(device.weights.plain(t)));
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
                times.add(new OpTimes.Op(program.name(), i.where(), i.op().getClass().getSimpleName(), "", cost), (now - last) / 1e9);
                last = now;
            }
        }
        times.addRun(program.name(), (last - start) / 1e9);
    }

    /**
     * Runs the program once and checks each result. It is slower than {@link #run} and finds where a number went wrong.
     *
     * @throws ArithmeticException naming the first instruction with a result that is NaN or infinite
     */
    public Map<String, Tensor> runChecked(Map<String, Tensor> inputs) {
        copyIn(inputs);
        program.inputs().forEach(i -> check(i.value(), "input '" + i.name() + "'"));
        for (int n = 0; n < steps.length; n++) {
            if (steps[n] != null) {
                steps[n].run();
                Instr i = program.body().get(n);
                i.out().forEach(v -> check(v, i.op() + (i.where().isEmpty() ? "" : " at '" + i.where() + "'") + " " + i.in()));
            }
        }
        return copyOut();
    }

    private void check(Value v, String what) {
        if (v.type().dtype() != DType.F32) {
            return;
        }
        long n = v.shape().size();
        for (long i = 0; i < n; i++) {
            float x = VectorMath.get(address(v) + 4 * i);
            if (!Float.isFinite(x)) {
                throw new ArithmeticException("program '" + program.name() + "': " + x + " at element " + i + " of the result "
                        + v.type() + " of " + what);
            }
        }
    }

    private void copyIn(Map<String, Tensor> inputs) {
        if (!open) {
            throw new IllegalStateException("program '" + program.name() + "' is closed on device 'cpu'; compile it again");
        }
        Arguments.check(program, inputs);
        device.parallel.enter();
        for (Program.Input i : program.inputs()) {
            Floats.copy(inputs.get(i.name()), address(i.value()), device.parallel);
        }
    }

    private Map<String, Tensor> copyOut() {
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

    /** Returns the plan that gives the places of the values. */
    public MemoryPlan plan() {
        return plan;
    }

    private void fillArena() {
        for (long i = 0; i < plan.bytes(); i += 4) {
            Native.ALL.set(Native.INT, arena + i, NAN);
        }
    }

    /** Tells whether the bytes behind each buffer are unchanged. */
    boolean guardsIntact() {
        return plan.guards().stream().allMatch(at -> {
            boolean intact = true;
            for (int i = 0; i < guard; i += 4) {
                intact &= Native.ALL.get(Native.INT, arena + at + i) == NAN;
            }
            return intact;
        });
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            primitives.close();
            held.forEach(device.weights::release);
            if (arena != 0) {
                device.heap.free(arena, plan.bytes());
            }
        }
    }
}
