// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

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

/** A device that tells where time went when it is closed. */
final class TimedDevice implements Device {
    private static final int LINKS = 4;

    private final Device device;
    private final OpTimes times;
    private final Consumer<String> line;

    TimedDevice(Device device, OpTimes times, Consumer<String> line) {
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
        TimeTable.Best best;
        try {
            int side = device.name().equals("cpu") ? 2048 : 4096; // a second or less
            best = new TimeTable.Best(side, rate("gemm", "MatMul", side, Cost::flops), rate("copy", "Unary", side, Cost::bytes));
        } finally {
            device.close();
        }
        TimeTable.lines(ops, runs, best).forEach(line);
    }

    /** A second, in the second and third run of a chain. */
    private double rate(String name, String op, int side, ToLongFunction<Cost> work) {
        try (RandomWeights random = Ceilings.weights(); Executable e = device.compile(Ceilings.chain(name, side, LINKS, random))) {
            Map<String, Tensor> in = Map.of("scale", Tensor.scalar(1));
            e.run(in);
            OpTimes.Total first = times.total(name, op);
            e.run(in);
            e.run(in);
            OpTimes.Total all = times.total(name, op);
            long one = times.ops().stream().map(Map.Entry::getKey).filter(o -> o.program().equals(name) && o.op().equals(op)).mapToLong(o -> work.applyAsLong(o.cost())).max().orElseThrow();
            return one * (all.count() - first.count()) / (all.seconds() - first.seconds());
        }
    }
}
