// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.tweedie.device.OpCase;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.*;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/**
 * One op of the CPU device, on all processors: its kernel alone, without copies of inputs and outputs. It lies in the device's
 * package to see that.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class OpBenchmark {
    /** The op and its shapes; behind it {@code vjp} or {@code jvp} for the program that also has its derivative. */
    @Param({"conv2d 1x128x128x32", "conv2d 1x128x128x64", "conv2d 1x64x64x128", "conv2d 2x16x16x128", "conv2d 1x64x64x320",
            "conv2d 1x8x8x1280",
            "conv2d-adjoint 1x64x64x128", "conv2d-adjoint 1x64x64x320", "conv2d-adjoint 1x8x8x1280",
            "linear 4096x320x1280", "linear 256x128x512",
            "group-norm 1x128x128x32", "group-norm 1x64x64x320", "group-norm 1x64x64x320 vjp", "group-norm 1x64x64x320 jvp",
            "layer-norm 4096x320",
            "silu 1x64x64x320", "add 1x64x64x320", "add-per-channel 1x64x64x320", "geglu 4096x1280", "reduce-sum 1x64x64x320",
            "upsample 1x64x64x64", "sum-pool 1x128x128x64", "concat 1x64x64x64", "transpose 1x128x128x3", "softmax 8x256x256",
            "attention 2x256x128", "attention 1x4096x320", "attention 1x4096x320 vjp", "attention 1x4096x320 jvp",
            "cross-attention 1x4096x320"})
    public String op;

    private CpuDevice device;
    private CpuExecutable executable;

    private static OpCase of(Op op, int active, int[]... shapes) {
        return new OpCase(op, active, Arrays.stream(shapes).map(Shape::of).toList());
    }

    private static int[] s(int... dims) {
        return dims;
    }

    private static OpCase find(String name, int[] x) {
        int last = x[x.length - 1];
        Convolution same = new Convolution(1, 1, 1, 1, 1);
        return switch (name) {
            case "conv2d" -> of(same, 1, x, s(last, last, 3, 3), s(last));
            case "conv2d-adjoint" -> of(new ConvolutionVjp(same, x[1], x[2]), 1, x, s(last, last, 3, 3));
            case "linear" -> of(new MatMul(false, true), 1, s(x[0], x[1]), s(x[2], x[1]), s(x[2]));
            case "group-norm" -> of(new GroupNormalization(16, 1e-6, true), 1, x, s(last), s(last));
            case "layer-norm" -> of(new GroupNormalization(1, 1e-5, false), 1, s(x[0], 1, x[1]), s(x[1]), s(x[1]));
            case "silu" -> of(new Unary(Fn.SILU, 0), 1, x);
            case "add" -> of(new Binary(Binary.Kind.ADD), 2, x, x);
            case "add-per-channel" -> of(new Binary(Binary.Kind.ADD), 2, x, s(x[0], 1, 1, last));
            case "geglu" -> of(new UnaryMul(Fn.GELU, 0), 2, x, x);
            case "reduce-sum" -> of(new ReduceSum(List.of(1, 2)), 1, x);
            case "upsample" -> of(new Upsample(2), 1, x);
            case "sum-pool" -> of(new SumPool(2), 1, x);
            case "concat" -> of(new Concat(3), 2, x, x);
            case "transpose" -> of(new Transpose(List.of(0, 3, 1, 2)), 1, x);
            case "softmax" -> of(new Softmax(), 1, x);
            case "attention" -> of(new DotProductAttention(last == 128 ? 4 : 8, false), 3, x, x, x);
            case "cross-attention" -> of(new DotProductAttention(8, false), 1, x, s(x[0], 77, last), s(x[0], 77, last));
            default -> throw new IllegalArgumentException("op '" + name + "': unknown to OpBenchmark");
        };
    }

    private static OpCase find(String op) {
        String[] words = op.split(" ");
        return find(words[0], Arrays.stream(words[1].split("x")).mapToInt(Integer::parseInt).toArray());
    }

    /** Returns the work that is timed under this name. */
    static Program program(String op) {
        Program f = find(op).program(1);
        return op.endsWith(" vjp") ? Vjp.of(f, "y0", "x0") : op.endsWith(" jvp") ? Jvp.of(f, "x0", "y0") : f;
    }

    /** Its work, by which a time becomes a rate. */
    public static Cost cost(String op) {
        return program(op).cost();
    }

    @Setup
    public void compile() {
        OpCase c = find(op);
        Map<String, Tensor> in = new HashMap<>(c.inputs(2));
        Program p = program(op);
        if (op.endsWith(" vjp")) {
            in.put("cotangent", OpCase.random(c.program(1).output("y0").shape(), 3));
        } else if (op.endsWith(" jvp")) {
            in.put("tangent", OpCase.random(c.in().getFirst(), 3));
        }
        device = new CpuDevice();
        executable = device.compile(p);
        executable.run(in);
    }

    @Benchmark
    public void run() {
        executable.runSteps();
    }

    @TearDown
    public void close() {
        executable.close();
        device.close();
    }
}
