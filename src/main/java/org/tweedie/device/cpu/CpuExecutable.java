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
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;
import org.tweedie.program.op.Cost;
import org.tweedie.program.op.Reshape;
import org.tweedie.transform.Decompose;

/** A program as a list of prepared steps on one arena. */
public final class CpuExecutable implements Executable {
    private static final int NAN = Float.floatToRawIntBits(Float.NaN);

    private final CpuDevice device;
    private final Program program;
    private final Primitives primitives = new Primitives();
    private final List<Weights.Entry> held = new ArrayList<>();
    private final Map<Integer, Tensor> constants = new HashMap<>(); // by value, reshaped ones too
    private final Map<Tensor, Long> plain = new IdentityHashMap<>();
    private final Runnable[] steps; // one per instruction; null where nothing moves
    private final int guard;
    private MemoryPlan plan;
    private long arena;
    private boolean open = true;

    CpuExecutable(CpuDevice device, Program program, int guard) {
        this.device = device;
        this.program = Decompose.of(program, Lowering::lacks);
        this.guard = guard;
        this.steps = new Runnable[this.program.body().size()];
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
        Kernel[] kernels = kernels();
        plan = MemoryPlan.of(program, n -> kernels[n] == null ? 0 : kernels[n].scratch(), guard);
        arena = device.heap.allocate(plan.bytes());
        if (guard > 0) {
            fillArena();
        }
        for (int n = 0; n < steps.length; n++) {
            steps[n] = kernels[n] == null ? null : kernels[n].bind().apply(new At(program.body().get(n), n));
        }
    }

    private Kernel[] kernels() {
        long bytes = program.constants().stream().mapToLong(c -> 4 * c.data().size()).sum();
        Lowering lowering = new Lowering(primitives, device.parallel, bytes > device.layoutLimit,
                (t, from, to) -> hold(device.weights.packed(t, from, to)), v -> constants.get(v.id()));
        Kernel[] kernels = new Kernel[steps.length];
        for (int n = 0; n < kernels.length; n++) {
            Instr i = program.body().get(n);
            if (i.op() instanceof Reshape && constants.containsKey(i.in().getFirst().id())) {
                constants.put(i.result().id(), constants.get(i.in().getFirst().id()));
            }
            kernels[n] = lowering.of(i);
        }
        return kernels;
    }

    private long hold(Weights.Entry e) {
        held.add(e);
        return e.address;
    }

    /** Places of the n-th instruction. */
    private final class At implements Kernel.Places {
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

    /** The steps alone, on whatever the arena holds: what a benchmark times. */
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
     * Runs once and looks at each result: slower, to learn where a number went wrong.
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

    /** Where its values lie. */
    public MemoryPlan plan() {
        return plan;
    }

    private void fillArena() {
        for (long i = 0; i < plan.bytes(); i += 4) {
            Native.ALL.set(Native.INT, arena + i, NAN);
        }
    }

    /** Whether the bytes behind each buffer are as they were at the start. */
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
