// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Rounding;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Op;

/** One op's kernel on the PTX machine against the op on the reference device, which gets the operands as they are stored. */
final class OneOp {
    static final List<DType> REALS = List.of(DType.F32, DType.F16, DType.BF16);

    private OneOp() {}

    /** As the type stores it. */
    static Tensor stored(Tensor x, DType real) {
        return Tensor.of(x.shape(), Arrays.stream(x.doubles()).map(v -> Rounding.to(real, (float) v)).toArray());
    }

    /** The op in double. */
    static double[] reference(Op op, DType real, Tensor... in) {
        Tracer t = new Tracer(op.toString());
        Map<String, Tensor> inputs = new HashMap<>();
        Value[] operands = new Value[in.length];
        for (int i = 0; i < in.length; i++) {
            operands[i] = t.input("x" + i, Type.real(in[i].shape()));
            inputs.put("x" + i, in[i]);
        }
        t.output("y", t.emit1(op, operands));
        return run(t.finish(), inputs, "y", real);
    }

    /** An output of a program, in double. */
    static double[] run(Program p, Map<String, Tensor> inputs, String output, DType real) {
        Map<String, Tensor> in = new HashMap<>();
        inputs.forEach((name, x) -> in.put(name, stored(x, real)));
        return new ReferenceDevice().compile(p).run(in).get(output).doubles();
    }

    /** Runs a kernel with as many results as there are expectations, shaped as given, and compares. */
    static void check(String what, GpuKernel kernel, DType real, List<Tensor> in, List<Tensor> expected) {
        try (KernelBench bench = new KernelBench()) {
            List<Buffer> out = outs(bench, real, expected);
            bench.run(kernel, ins(bench, real, in), out);
            for (int i = 0; i < out.size(); i++) {
                ErrorBudget.check(what + ", result " + i, real, expected.get(i).doubles(), bench.read(out.get(i)));
            }
        }
    }

    /** Runs a kernel apart and with result i in the place of operand {@code over[i]}: the bytes must be the same. */
    static void checkInPlace(String what, GpuKernel kernel, DType real, List<Tensor> in, List<Tensor> results, int... over) {
        try (KernelBench bench = new KernelBench()) {
            List<Buffer> apart = outs(bench, real, results);
            bench.run(kernel, ins(bench, real, in), apart);
            List<Buffer> operands = ins(bench, real, in);
            List<Buffer> out = Arrays.stream(over).mapToObj(operands::get).toList();
            bench.run(kernel, operands, out);
            for (int i = 0; i < out.size(); i++) {
                assertArrayEquals(bench.bytes(apart.get(i)), bench.bytes(out.get(i)), what + " in " + real + ", result " + i
                        + " over operand " + over[i]);
            }
        }
    }

    private static List<Buffer> ins(KernelBench bench, DType real, List<Tensor> in) {
        List<Buffer> b = new ArrayList<>();
        in.forEach(x -> b.add(bench.in("x" + b.size(), real, x)));
        return b;
    }

    private static List<Buffer> outs(KernelBench bench, DType real, List<Tensor> out) {
        List<Buffer> b = new ArrayList<>();
        out.forEach(y -> b.add(bench.out("y" + b.size(), real, y.shape())));
        return b;
    }
}
