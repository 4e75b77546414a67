// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.OpTimes;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Cost;
import org.tweedie.weights.RandomWeights;

/** A device that reports how time was spent when it is closed. */
public final class TimedDevice implements Device {
    private static final int LINKS = 4;

    private final Device device;
    private final OpTimes times;
    private final Consumer<String> line;

    /** @param line takes each line of the report */
    public TimedDevice(Device device, OpTimes times, Consumer<String> line) {
        this.device = device;
        this.times = times;
        this.line = line;
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public String description() {
        return device.description();
    }

    @Override
    public Executable compile(Program program) {
        return device.compile(program);
    }

    @Override
    public long liveBytes() {
        return device.liveBytes();
    }

    @Override
    public void close() {
        List<Map.Entry<OpTimes.Op, OpTimes.Total>> ops = times.ops();
        List<Map.Entry<String, OpTimes.Total>> runs = times.runs();
        if (ops.isEmpty()) {
            device.close();
            return;
        }
        try (device) {
            TimeTable.lines(ops, runs, best()).forEach(line);
        }
    }

    /**
     * Measures the best rates of the device. If the card has too little memory or has faulted, prints the reason and returns
     * null, so that the times measured before are still reported.
     */
    private TimeTable.Best best() {
        try {
            int side = device.name().equals("cpu") ? 2048 : 8192; // takes about a second; on a GPU the matrices exceed the cache
            return new TimeTable.Best(side, rate("gemm", "MatMul", side, Cost::flops), rate("copy", "Unary", side, Cost::bytes));
        } catch (RuntimeException e) {
            line.accept("the best rates of the device could not be measured: " + e.getMessage());
            return null;
        }
    }

    /** Returns the work per second in the second and third run of a chain. */
    private double rate(String name, String op, int side, ToLongFunction<Cost> work) {
        try (RandomWeights random = Ceilings.weights();
                Executable e = device.compile(Ceilings.chain(name, side, LINKS, random))) {
            Map<String, Tensor> in = Map.of("scale", Tensor.scalar(1));
            e.run(in);
            OpTimes.Total first = times.total(name, op);
            double before = done(name, op, work);
            e.run(in);
            e.run(in);
            return (done(name, op, work) - before) / (times.total(name, op).seconds() - first.seconds());
        }
    }

    /** Returns the work of all ops of a kind so far, including those of chains of other sides that were timed before. */
    private double done(String name, String op, ToLongFunction<Cost> work) {
        return times.ops().stream().filter(o -> o.getKey().program().equals(name) && o.getKey().op().equals(op))
                .mapToDouble(o -> (double) work.applyAsLong(o.getKey().cost()) * o.getValue().count()).sum();
    }
}
