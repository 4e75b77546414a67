// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.device.Arguments;
import org.tweedie.device.Closing;
import org.tweedie.device.Executable;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.plan.Constant;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Gather;

/**
 * A plan on a card. All memory is taken and all calls are prepared before the first run. The first run makes the launches one by
 * one, which loads everything that CUDA loads late. The second run captures the same launches as a CUDA graph, and it and all
 * later runs launch that graph. Inputs change because their bytes are overwritten.
 */
public final class CudaExecutable implements Executable {
    private final CudaDevice device;
    private final Plan plan;
    private final Arena host = Arena.ofShared();
    private final Map<Constant, Long> constants = new HashMap<>();
    private final Map<String, Buffer> inputs = new LinkedHashMap<>();
    private final Map<String, Buffer> outputs = new LinkedHashMap<>();
    private final Map<String, Integer> tables = new HashMap<>(); // the rows of the table that an input's ids pick from
    private long arena;
    private long workspace;
    private Staging staging;
    private Sequence sequence;
    private Driver.Graph graph;
    private Driver.Event begin;
    private Driver.Event end;
    private double seconds = Double.NaN;
    private boolean ran;
    private boolean open = true;

    CudaExecutable(CudaDevice device, Plan plan) {
        this.device = device;
        this.plan = plan;
        String name = "program '" + plan.program().name() + "'";
        try {
            Map<LibraryCall, Vendor.Prepared> prepared = prepare();
            plan.constants().forEach(c -> constants.put(c, device.constants.hold(c)));
            arena = device.memory.allocate(plan.memory().bytes(), "the arena of " + name);
            long most = prepared.values().stream().mapToLong(Vendor.Prepared::workspace).max().orElse(0);
            workspace = most == 0 ? 0 : device.memory.allocate(most, "the libraries' working memory in " + name);
            Plan.Bound bound = plan.bind(arena, constants::get);
            program().inputs().forEach(i -> inputs.put(i.name(), bound.of(i.value())));
            program().outputs().forEach(o -> outputs.put(o.name(), bound.of(o.value())));
            staging = new Staging(device.driver, places());
            sequence = new Sequence(device, bound.stages(), workspace, host, program().name());
            begin = device.driver.event();
            end = device.driver.event();
            collectTables();
        } catch (RuntimeException | Error e) {
            try {
                close();
            } catch (RuntimeException | Error more) {
                e.addSuppressed(more);
            }
            throw e;
        }
    }

    /** Prepares every call of the plan before there are addresses, because the libraries' working memory is part of the plan. */
    private Map<LibraryCall, Vendor.Prepared> prepare() {
        Map<LibraryCall, Vendor.Prepared> all = new HashMap<>();
        for (Plan.Stage s : plan.bind(0, c -> 0).stages()) {
            s.steps().stream().filter(LibraryCall.class::isInstance).map(LibraryCall.class::cast)
                    .forEach(c -> all.computeIfAbsent(c, device.calls::prepare));
        }
        return all;
    }

    private Map<String, Buffer> places() {
        Map<String, Buffer> all = new LinkedHashMap<>();
        inputs.forEach((name, b) -> all.put("in " + name, b));
        outputs.forEach((name, b) -> all.put("out " + name, b));
        return all;
    }

    /** Collects the tables whose ids must be checked before a run, because a kernel that meets a wrong id stops the card. */
    private void collectTables() {
        for (Instr i : program().body()) {
            if (i.op() instanceof Gather) {
                program().inputs().stream().filter(in -> in.value().equals(i.in().get(1)))
                        .forEach(in -> tables.merge(in.name(), i.in().get(0).shape().dim(0), Math::min));
            }
        }
    }

    @Override
    public Program program() {
        return plan.program();
    }

    /** Returns the plan, with the places of its values. */
    public Plan plan() {
        return plan;
    }

    /**
     * Runs the program.
     *
     * @throws CudaException when a kernel faults; this process can then no longer use the card
     */
    @Override
    public Map<String, Tensor> run(Map<String, Tensor> in) {
        if (!open) {
            throw new IllegalStateException("program '" + program().name() + "' is closed on device 'cuda'; compile it again");
        }
        Arguments.check(program(), in);
        in.forEach(this::checkIds);
        device.enter();
        device.ranges.push(program().name());
        try {
            upload(in);
            launch(in);
            outputs.forEach((name, b) -> device.driver.toHost(staging.place("out " + name), b.address(), device.stream));
            device.driver.synchronize(device.stream);
        } catch (CudaException e) {
            throw e.at(where());
        } catch (CudnnException e) {
            throw e.at(where());
        } finally {
            device.ranges.pop();
        }
        sequence.collectTimes();
        seconds = device.driver.milliseconds(begin, end) / 1000;
        ran = true;
        Map<String, Tensor> out = new LinkedHashMap<>();
        outputs.forEach((name, b) -> out.put(name, staging.get("out " + name, b)));
        return out;
    }

    private String where() {
        return "in program '" + program().name() + "'" + (graph == null ? "" : ", graph replayed; --graphs off names the kernel");
    }

    private void upload(Map<String, Tensor> in) {
        inputs.forEach((name, b) -> device.driver.toDevice(b.address(), staging.put("in " + name, in.get(name), b.dtype()),
                device.stream));
    }

    private void checkIds(String name, Tensor ids) {
        Integer rows = tables.get(name);
        for (int i = 0; rows != null && i < ids.size(); i++) {
            if (ids.get(i) < 0 || ids.get(i) >= rows) {
                throw new IllegalArgumentException(program().name() + ": input '" + name + "' picks row " + (long) ids.get(i)
                        + " of a table of " + rows + " rows");
            }
        }
    }

    private void launch(Map<String, Tensor> in) {
        boolean graphs = device.options.graphs();
        // the first run's time contains what CUDA loads late, so it is run once more
        if (graphs && !ran && device.options.times() != null) {
            sequence.launch(Sequence.Way.PLAIN);
            device.driver.synchronize(device.stream);
            upload(in);
            ran = true;
        }
        if (graphs && ran && graph == null) {
            graph = device.memory.withRoom(() -> device.driver.capture(device.stream,
                    () -> sequence.launch(Sequence.Way.CAPTURED)));
        }
        device.driver.record(begin, device.stream);
        if (graph != null) {
            device.driver.launch(graph, device.stream);
        } else {
            sequence.launch(graphs ? Sequence.Way.PLAIN : Sequence.Way.WAITING);
        }
        device.driver.record(end, device.stream);
    }

    @Override
    public double deviceSeconds() {
        return seconds;
    }

    @Override
    public long arenaBytes() {
        return plan.memory().bytes();
    }

    /** Returns the bytes of the working memory that libraries use during a run. */
    public long workspaceBytes() {
        return sequence.workspaceBytes();
    }

    @Override
    public void close() {
        if (!open) {
            return;
        }
        open = false;
        try (Closing closing = new Closing()) { // the graph is closed first, the memory that it uses last
            closing.add(host::close);
            if (arena != 0) {
                closing.add(() -> device.memory.free(arena));
            }
            if (workspace != 0) {
                closing.add(() -> device.memory.free(workspace));
            }
            constants.keySet().forEach(c -> closing.add(() -> device.constants.release(c)));
            if (staging != null) {
                closing.add(staging::close);
            }
            if (sequence != null) {
                closing.add(sequence::close);
            }
            for (Driver.Event e : new Driver.Event[] {begin, end}) {
                if (e != null) {
                    closing.add(() -> device.driver.destroy(e));
                }
            }
            if (graph != null) {
                closing.add(() -> device.driver.destroy(graph));
            }
            closing.add(device::enter);
        }
    }
}
