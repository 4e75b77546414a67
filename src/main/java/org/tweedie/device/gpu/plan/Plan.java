// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.gpu.fusion.Converting;
import org.tweedie.device.gpu.fusion.Fusion;
import org.tweedie.device.gpu.fusion.Group;
import org.tweedie.device.gpu.kernel.GpuLowering;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.device.storage.Crossing;
import org.tweedie.device.storage.Storage;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;
import org.tweedie.transform.Decompose;

/**
 * A program lowered for a GPU, all but addresses: which kernels run in which order, the offset in one arena and the type of each
 * value, and which constants are needed in which layouts. A device that has the memory binds the plan to it.
 */
public final class Plan {
    private final Program program;
    private final Storage storage;
    private final List<Group> groups;
    private final MemoryPlan memory;
    private final Map<Integer, Program.Constant> constants = new HashMap<>(); // by value, reshaped ones too
    private final Set<Constant> uploads = new LinkedHashSet<>();
    private final String[] names;

    private Plan(Program program, DType real, Offer offer, int guard) {
        this.program = program;
        Storage stored = Storage.of(program, real);
        Crossing crossing = new Crossing(program.values());
        collectConstants();
        this.groups = Fusion.of(program, stored, offer).groups().stream().map(g -> converting(g, stored, crossing)).toList();
        this.storage = stored.with(crossing.copies());
        this.names = names(program, crossing.copies());
        this.memory = MemoryPlan.of(withValues(program, crossing.copies().size()), groups.stream().map(Plan::memoryStep).toList(),
                v -> v.shape().size() * storage.of(v).bytes(), guard);
        groups.forEach(this::collectUploads);
        program.outputs().stream().map(Program.Output::value).filter(this::isConstant).forEach(v -> uploads.add(constant(v)));
    }

    /** @param real type in which the values of networks are stored: F32, F16 or BF16 */
    public static Plan of(Program program, DType real) {
        return of(program, real, Offer.NONE, 0);
    }

    /** @param offer tells what the device's libraries do besides convolutions and products */
    public static Plan of(Program program, DType real, Offer offer) {
        return of(program, real, offer, 0);
    }

    /** A plan with unused bytes behind each buffer and no shared places, for tests that look for writes out of place. */
    public static Plan of(Program program, DType real, Offer offer, int guard) {
        return new Plan(Decompose.of(program, GpuLowering::lacks), real, offer, guard);
    }

    /** The name of each value by its number: its name in the program, or its number and the place in the model that made it. */
    private static String[] names(Program p, List<Crossing.Copy> copies) {
        String[] names = new String[p.values() + copies.size()];
        p.constants().forEach(c -> names[c.value().id()] = c.name());
        p.inputs().forEach(i -> names[i.value().id()] = i.name());
        for (Instr i : p.body()) {
            for (Value v : i.out()) {
                names[v.id()] = i.op() instanceof Reshape ? names[i.in().getFirst().id()]
                        : "%" + v.id() + (i.where().isEmpty() ? "" : " " + i.where());
            }
        }
        copies.forEach(c -> names[c.value().id()] = names[c.of().id()] + " as " + c.dtype());
        return names;
    }

    /** The program with more values, which no instruction makes. */
    private static Program withValues(Program p, int more) {
        return new Program(p.name(), p.inputs(), p.constants(), p.body(), p.outputs(), p.values() + more);
    }

    private void collectConstants() {
        program.constants().forEach(c -> constants.put(c.value().id(), c));
        for (Instr i : program.body()) {
            Program.Constant c = constants.get(i.in().getFirst().id());
            if (i.op() instanceof Reshape r && c != null) {
                Tensor data = new Tensor(c.data().dtype(), r.to(), c.data().data());
                constants.put(i.result().id(), new Program.Constant(c.name(), i.result(), data));
            }
        }
    }

    private void collectUploads(Group g) {
        for (int k = 0; k < g.in().size() && g.kernel() != null; k++) {
            if (isConstant(g.in().get(k))) {
                uploads.add(constant(g, k));
            }
        }
    }

    /** The group with its kernel made to read operands as they are stored. */
    private Group converting(Group g, Storage storage, Crossing crossing) {
        if (g.kernel() == null) {
            return g;
        }
        List<DType> stored = new ArrayList<>();
        for (int k = 0; k < g.in().size(); k++) {
            Value v = g.in().get(k);
            stored.add(isConstant(v) ? g.wanted().get(k) : storage.of(v));
            if (isFilter(g, k) && !isConstant(v)) {
                throw new IllegalArgumentException("program '" + program.name() + "': " + g + " has a computed weight " + v
                        + "; a GPU's library needs a constant");
            }
        }
        return Converting.around(g, stored, crossing);
    }

    private static MemoryPlan.Step memoryStep(Group g) {
        return new MemoryPlan.Step(g.in(), g.out(), g.sharing(), g.kernel() == null ? 0 : g.kernel().scratch());
    }

    private boolean isConstant(Value v) {
        return constants.containsKey(v.id());
    }

    private static boolean isFilter(Group g, int k) {
        Op op = g.instrs().getFirst().op(); // a library's call is a group of its own
        return k == 1 && (op instanceof Convolution || op instanceof ConvolutionVjp);
    }

    /** The k-th operand of a group, a constant, as its kernel wants it. */
    private Constant constant(Group g, int k) {
        Program.Constant c = constants.get(g.in().get(k).id());
        return new Constant(c.name(), c.data(), g.wanted().get(k), isFilter(g, k) ? Constant.Layout.FILTER
                : Constant.Layout.ROW_MAJOR);
    }

    /** A constant that is a result, in F32 or I64. */
    private Constant constant(Value v) {
        Program.Constant c = constants.get(v.id());
        return new Constant(c.name(), c.data(), v.type().dtype(), Constant.Layout.ROW_MAJOR);
    }

    public Program program() {
        return program;
    }

    public MemoryPlan memory() {
        return memory;
    }

    /** The constants that must be uploaded, each once. */
    public Set<Constant> constants() {
        return uploads;
    }

    /**
     * @param arena address of {@code memory().bytes()} bytes, a multiple of 256
     * @param constants addresses of {@link #constants}
     */
    public Bound bind(long arena, ToLongFunction<Constant> constants) {
        return new Bound(arena, constants);
    }

    /** The steps for human readers, a line each. */
    public String listing() {
        StringBuilder s = new StringBuilder();
        for (Stage stage : bind(0, c -> 0).stages()) {
            stage.steps().forEach(step -> s.append(step).append('\n'));
        }
        return s.toString();
    }

    /**
     * A group at its addresses.
     *
     * @param number its number in the memory plan
     * @param scratch its working memory; no bytes where it needs none
     */
    public record Stage(int number, Group group, List<PlanStep> steps, MemoryPlan.Range scratch) {}

    /** A plan at its addresses. */
    public final class Bound {
        private final long arena;
        private final ToLongFunction<Constant> addresses;

        private Bound(long arena, ToLongFunction<Constant> addresses) {
            this.arena = arena;
            this.addresses = addresses;
        }

        /** The stages, in the order in which they are to run. */
        public List<Stage> stages() {
            List<Stage> stages = new ArrayList<>();
            for (int n = 0; n < groups.size(); n++) {
                Group g = groups.get(n);
                if (g.kernel() != null) {
                    long at = Math.max(0, memory.scratch(n));
                    stages.add(new Stage(n, g, List.copyOf(g.kernel().bind().apply(new At(g, arena + at))),
                            new MemoryPlan.Range(at, g.kernel().scratch())));
                }
            }
            return stages;
        }

        /** The buffer of an input or an output of the program. */
        public Buffer of(Value v) {
            return isConstant(v) ? of(constant(v)) : new Buffer(names[v.id()], storage.of(v), v.shape(),
                    arena + memory.offset(v));
        }

        private Buffer of(Constant c) {
            return new Buffer(c.name(), c.dtype(), c.shape(), addresses.applyAsLong(c));
        }

        private final class At implements GpuKernel.Places {
            private final Group group;
            private final long scratch;

            At(Group group, long scratch) {
                this.group = group;
                this.scratch = scratch;
            }

            @Override
            public Buffer in(int i) {
                Value v = group.in().get(i);
                return isConstant(v) ? of(constant(group, i)) : of(v);
            }

            @Override
            public Buffer out(int i) {
                return of(group.out().get(i));
            }

            @Override
            public long scratch() {
                return scratch;
            }
        }
    }
}
