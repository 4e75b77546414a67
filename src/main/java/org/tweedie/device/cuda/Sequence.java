// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.tweedie.device.Closing;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.gpu.fusion.Group;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.Value;
import org.tweedie.program.op.Cost;

/**
 * The launches and calls of an executable, ready to run: its kernels are found, its arguments packed, its calls prepared.
 * Launching allocates nothing.
 */
final class Sequence implements AutoCloseable {
    private sealed interface Work {
        void start();
    }

    private record Kernel(Driver driver, Driver.Function function, Launch launch, MemorySegment arguments, Driver.Stream stream)
            implements Work {
        @Override
        public void start() {
            driver.launch(function, launch.grid(), launch.block(), launch.shared(), stream, arguments);
        }
    }

    private record Call(Vendor.Prepared prepared, LibraryCall call, long workspace) implements Work {
        @Override
        public void start() {
            prepared.run(call, workspace);
        }
    }

    /** The work of a group, and its name for profiles and errors. */
    private record Part(Group group, String range, List<Work> work, OpTimes.Op op) {}

    private final CudaDevice device;
    private final List<Part> parts = new ArrayList<>();
    // if groups are timed, one event before the first part and one after each
    private final List<Driver.Event> events = new ArrayList<>();
    private final long workspaceBytes;
    private boolean timed;

    Sequence(CudaDevice device, List<Plan.Stage> stages, long workspace, Arena host, String program) {
        this.device = device;
        long most = 0;
        for (Plan.Stage s : stages) {
            List<Work> work = new ArrayList<>();
            for (PlanStep step : s.steps()) {
                switch (step) {
                    case Launch l -> work.add(new Kernel(device.driver, device.modules.function(l), l,
                            Parameters.of(l.args(), host), device.stream));
                    case LibraryCall c -> {
                        Vendor.Prepared p = device.calls.prepare(c);
                        most = Math.max(most, p.workspace());
                        work.add(new Call(p, c, workspace));
                    }
                }
            }
            parts.add(new Part(s.group(), s.group().toString(), work, op(program, s, work)));
        }
        workspaceBytes = most;
        for (int i = 0; device.options.times() != null && i <= parts.size(); i++) {
            events.add(device.driver.event());
        }
    }

    private static OpTimes.Op op(String program, Plan.Stage s, List<Work> work) {
        Group g = s.group();
        Cost cost = g.instrs().stream().map(i -> i.op().cost(i.in().stream().map(Value::type).toList(), i.out().stream()
                .map(Value::type).toList()))
                .reduce(Cost.NONE, Cost::plus);
        String how = work.stream().map(w -> switch (w) {
            case Kernel k -> k.launch.entry();
            case Call c -> c.prepared.toString();
        }).collect(Collectors.joining(" + "));
        return new OpTimes.Op(program, g.instrs().getLast().where(), g.instrs().stream()
                .map(i -> i.op().getClass().getSimpleName()).collect(Collectors.joining("+")),
                how, new Cost(cost.flops(), s.steps().stream().mapToLong(PlanStep::bytes).sum()));
    }

    long workspaceBytes() {
        return workspaceBytes;
    }

    /** The ways to launch a sequence. */
    enum Way {
        /** The launches are put on the stream without waiting. */
        PLAIN,
        /** Each group is waited for, and timed if times are asked for, so that an error names its group. */
        WAITING,
        /** The launches are captured; the graph times each group if times are asked for. */
        CAPTURED
    }

    /** Launches all groups in order on the device's stream. */
    void launch(Way way) {
        timed |= way != Way.PLAIN && !events.isEmpty();
        mark(way, 0);
        for (int i = 0; i < parts.size(); i++) {
            Part p = parts.get(i);
            device.ranges.push(p.range);
            try {
                p.work.forEach(Work::start);
                mark(way, i + 1);
                if (way == Way.WAITING) {
                    device.driver.synchronize(device.stream);
                }
            } catch (CudaException e) {
                throw e.at("in " + p.group);
            } catch (CudnnException e) {
                throw e.at("in " + p.group);
            } finally {
                device.ranges.pop();
            }
        }
    }

    private void mark(Way way, int i) {
        if (events.isEmpty() || way == Way.PLAIN) {
            return;
        }
        if (way == Way.CAPTURED) {
            device.driver.recordByGraph(events.get(i), device.stream);
        } else {
            device.driver.record(events.get(i), device.stream);
        }
    }

    /** Adds the times of the events, once the stream has finished. */
    void collectTimes() {
        if (!timed || parts.isEmpty()) {
            return;
        }
        OpTimes times = device.options.times();
        for (int i = 0; i < parts.size(); i++) {
            times.add(parts.get(i).op, device.driver.milliseconds(events.get(i), events.get(i + 1)) / 1000);
        }
        times.addRun(parts.getFirst().op.program(), device.driver.milliseconds(events.getFirst(), events.getLast()) / 1000);
    }

    @Override
    public void close() {
        try (Closing closing = new Closing()) {
            events.forEach(e -> closing.add(() -> device.driver.destroy(e)));
            events.clear();
        }
    }
}
