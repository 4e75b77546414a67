// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.util.Map;
import java.util.function.ToLongFunction;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.OpTimes;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Cost;
import org.tweedie.weights.RandomWeights;

/**
 * The highest rates that a device reaches.
 *
 * @param side the side of the square matrices of the measurement
 * @param flops floating-point operations per second in products of matrices
 * @param bytes bytes per second in passes over memory that read and write
 */
public record Rates(int side, double flops, double bytes) {
    private static final int LINKS = 4;

    /** Measures the rates, which takes a second or so. @param times receives the times of the device's ops */
    public static Rates measure(Device device, OpTimes times) {
        int side = device.name().equals("cpu") ? 2048 : 8192; // takes about a second; on a GPU the matrices exceed the cache
        return new Rates(side, rate(device, times, "gemm", "MatMul", side, Cost::flops),
                rate(device, times, "copy", "Unary", side, Cost::bytes));
    }

    /** The least time in seconds of some work: it is bound by arithmetic or by memory. */
    public double seconds(Cost work) {
        return Math.max(work.flops() / flops, work.bytes() / bytes);
    }

    /** Returns the work per second in the second and third run of a chain. */
    private static double rate(Device device, OpTimes times, String name, String op, int side, ToLongFunction<Cost> work) {
        try (RandomWeights random = Ceilings.weights();
                Executable e = device.compile(Ceilings.chain(name, side, LINKS, random))) {
            Map<String, Tensor> in = Map.of("scale", Tensor.scalar(1));
            e.run(in);
            OpTimes.Total first = times.total(name, op);
            double before = done(times, name, op, work);
            e.run(in);
            e.run(in);
            return (done(times, name, op, work) - before) / (times.total(name, op).seconds() - first.seconds());
        }
    }

    /** Returns the work of all ops of a kind so far, including those of chains of other sides that were timed before. */
    private static double done(OpTimes times, String name, String op, ToLongFunction<Cost> work) {
        return times.ops().stream().filter(o -> o.getKey().program().equals(name) && o.getKey().op().equals(op))
                .mapToDouble(o -> (double) work.applyAsLong(o.getKey().cost()) * o.getValue().count()).sum();
    }
}
