// SPDX-License-Identifier: Apache-2.0
package org.tweedie.bench;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.device.Executable;
import org.tweedie.device.OpCase;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Softmax;

/** The PTX machine: our softmax kernel on 64 rows of 256 numbers, with all checks, as the device sim runs it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class MachineBenchmark {
    private Device device;
    private Executable softmax;
    private Map<String, Tensor> inputs;

    @Setup
    public void compile() {
        OpCase c = new OpCase(new Softmax(), 1, List.of(Shape.of(64, 256)));
        device = Devices.open("sim", Runtime.getRuntime().availableProcessors());
        softmax = device.compile(c.program(1));
        inputs = c.inputs(2);
    }

    @Benchmark
    public Map<String, Tensor> softmax() {
        return softmax.run(inputs);
    }

    @TearDown
    public void close() {
        softmax.close();
        device.close();
    }
}
