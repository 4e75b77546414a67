// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.OpCase;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.*;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/**
 * Times single ops on the CPU device: the median of some runs, with GFLOP/s and GB/s by the op's stated work.
 * Run: {@code java ... org.tweedie.device.cpu.OpTimes [threads] [part of a name]}.
 */
final class OpTimes {
    private OpTimes() {}

    private static OpCase of(Op op, int active, int[]... shapes) {
        return new OpCase(op, active, java.util.Arrays.stream(shapes).map(Shape::of).toList());
    }

    private static int[] s(int... dims) {
        return dims;
    }

    private static List<OpCase> cases() {
        List<OpCase> c = new ArrayList<>();
        Convolution same = new Convolution(1, 1, 1, 1, 1);
        for (int[] x : new int[][] {{1, 128, 128, 32}, {1, 128, 128, 64}, {1, 64, 64, 128}, {2, 16, 16, 128}, {1, 64, 64, 320}, {1, 8, 8, 1280}}) {
            c.add(of(same, 1, x, s(x[3], x[3], 3, 3), s(x[3])));
            c.add(of(new ConvolutionVjp(same, x[1], x[2]), 1, x, s(x[3], x[3], 3, 3)));
        }
        c.add(of(new MatMul(false, true), 1, s(4096, 320), s(1280, 320), s(1280)));
        c.add(of(new MatMul(false, true), 1, s(256, 128), s(512, 128), s(512)));
        for (int[] x : new int[][] {{1, 128, 128, 32}, {1, 64, 64, 128}, {2, 16, 16, 128}, {1, 64, 64, 320}}) {
            c.add(of(new GroupNormalization(16, 1e-6, true), 1, x, s(x[3]), s(x[3])));
            c.add(of(new Unary(Fn.SILU, 0), 1, x));
            c.add(of(new Binary(Binary.Kind.ADD), 2, x, x));
            c.add(of(new Binary(Binary.Kind.ADD), 2, x, s(x[0], 1, 1, x[3])));
            c.add(of(new ReduceSum(List.of(1, 2)), 1, x));
        }
        c.add(of(new GroupNormalization(1, 1e-5, false), 1, s(4096, 1, 320), s(320), s(320)));
        c.add(of(new UnaryMul(Fn.GELU, 0), 2, s(4096, 1280), s(4096, 1280)));
        c.add(of(new Upsample(2), 1, s(1, 64, 64, 64)));
        c.add(of(new SumPool(2), 1, s(1, 128, 128, 64)));
        c.add(of(new Concat(3), 2, s(1, 64, 64, 64), s(1, 64, 64, 64)));
        c.add(of(new Transpose(List.of(0, 3, 1, 2)), 1, s(1, 128, 128, 3)));
        c.add(of(new Softmax(), 1, s(8, 256, 256)));
        c.add(of(new DotProductAttention(4, false), 3, s(2, 256, 128), s(2, 256, 128), s(2, 256, 128)));
        c.add(of(new DotProductAttention(8, false), 3, s(1, 1024, 640), s(1, 1024, 640), s(1, 1024, 640)));
        c.add(of(new DotProductAttention(8, false), 3, s(1, 4096, 320), s(1, 4096, 320), s(1, 4096, 320)));
        c.add(of(new DotProductAttention(8, false), 1, s(1, 4096, 320), s(1, 77, 320), s(1, 77, 320)));
        return c;
    }

    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : Runtime.getRuntime().availableProcessors();
        try (CpuDevice device = new CpuDevice(threads)) {
            System.out.println(device.description());
            for (OpCase c : cases()) {
                if (args.length < 2 || c.toString().contains(args[1])) {
                    Program f = c.program(1);
                    time(device, c.toString(), f, c.inputs(2));
                    if (c.op() instanceof GroupNormalization || c.op() instanceof DotProductAttention) {
                        Map<String, Tensor> in = new HashMap<>(c.inputs(2));
                        in.put("cotangent", OpCase.random(f.output("y0").shape(), 3));
                        time(device, "  with pull-back", Vjp.of(f, "y0", "x0"), in);
                        in = new HashMap<>(c.inputs(2));
                        in.put("tangent", OpCase.random(c.in().getFirst(), 3));
                        time(device, "  with push-forward", Jvp.of(f, "x0", "y0"), in);
                    }
                }
            }
        }
    }

    private static void time(CpuDevice device, String name, Program p, Map<String, Tensor> in) {
        try (CpuExecutable e = device.compile(p)) {
            e.run(in);
            List<Long> times = new ArrayList<>();
            long end = System.nanoTime() + 400_000_000L;
            while (System.nanoTime() < end || times.size() < 5) {
                long start = System.nanoTime();
                e.runSteps();
                times.add(System.nanoTime() - start);
            }
            times.sort(null);
            double ms = times.get(times.size() / 2) / 1e6;
            Cost cost = p.cost();
            System.out.printf("%9.3f ms %7.1f GFLOP/s %6.1f GB/s  %s (best %.3f)%n", ms, cost.flops() / ms / 1e6, cost.bytes() / ms / 1e6, name,
                    times.getFirst() / 1e6);
        }
    }
}
