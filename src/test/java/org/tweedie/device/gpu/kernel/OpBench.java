// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Conformance.Run;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Rounding;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.ReduceSum;
import org.tweedie.program.op.Reshape;

/** Programs of arithmetic, moves and sums: kernel by kernel on the PTX machine, and, to compare, plainly. */
final class OpBench {
    private OpBench() {}

    /**
     * Distances from the program in double on the stored inputs, Euclidean and relative: in F32 at most 1e-5; in the 16-bit types
     * at most twice
     * that of plain evaluation in that type, each op in double and its results rounded once.
     */
    static void check(OpCase c, DType real) {
        for (Run r : Conformance.runs(c).toList()) {
            Map<String, double[]> got = kernels(r, real);
            Map<String, double[]> plain = plain(r, real);
            reference(r, real).forEach((name, y) -> {
                double error = distance(got.get(name), y);
                double budget = real == DType.F32 ? 1e-5 : 2 * distance(plain.get(name), y);
                assertTrue(error <= budget, c + ", " + r.name() + ", " + name + " in " + real + ": relative error " + error
                        + ", budget " + budget);
            });
        }
    }

    /** |x - y| / |y|. */
    static double distance(double[] x, double[] y) {
        double off = 0;
        double norm = 0;
        for (int i = 0; i < y.length; i++) {
            off += (x[i] - y[i]) * (x[i] - y[i]);
            norm += y[i] * y[i];
        }
        return off == 0 ? 0 : Math.sqrt(off / norm);
    }

    static double[] rounded(double[] x, DType to) {
        double[] y = x.clone();
        for (int i = 0; i < y.length && to != DType.I64; i++) {
            y[i] = Rounding.to(to, (float) y[i]);
        }
        return y;
    }

    private static DType stored(Value v, DType real) {
        return v.type().dtype() == DType.I64 ? DType.I64 : real;
    }

    /** Every value stored as {@code real}, every op by our kernel. */
    static Map<String, double[]> kernels(Run r, DType real) {
        try (KernelBench bench = new KernelBench()) {
            Map<Value, Buffer> at = new HashMap<>();
            r.program().inputs().forEach(i -> at.put(i.value(), bench.in(i.name(), stored(i.value(), real), r.inputs()
                    .get(i.name()))));
            r.program().constants().forEach(c -> at.put(c.value(), bench.in(c.name(), stored(c.value(), real), c.data())));
            for (Instr i : r.program().body()) {
                Value y = i.result();
                if (i.op() instanceof Reshape) {
                    at.put(y, at.get(i.in().getFirst()).reshape(y.shape().dims()));
                } else {
                    at.put(y, bench.out("%" + y.id(), real, y.shape()));
                    boolean wide = i.op() instanceof ReduceSum && real != DType.F32; // sums are F32
                    Buffer to = wide ? bench.out("sums", DType.F32, y.shape()) : at.get(y);
                    bench.run(GpuLowering.of(i), i.in().stream().map(at::get).toList(), List.of(to));
                    if (wide) {
                        bench.run(ElementwiseKernels.cast(to, at.get(y)));
                    }
                }
            }
            Map<String, double[]> out = new HashMap<>();
            r.program().outputs().forEach(o -> out.put(o.name(), bench.read(at.get(o.value()))));
            return out;
        }
    }

    static Map<String, double[]> reference(Run r, DType real) {
        Map<String, Tensor> in = new HashMap<>();
        r.inputs().forEach((name, x) -> in.put(name, x.dtype() == DType.I64 ? x : Tensor.of(x.shape(), rounded(x.doubles(),
                real))));
        List<Program.Constant> constants = r.program().constants().stream()
                .map(c -> new Program.Constant(c.name(), c.value(), Tensor.of(c.data().shape(), rounded(c.data().doubles(),
                        real)))).toList();
        Program p = r.program();
        Program stored = new Program(p.name(), p.inputs(), constants, p.body(), p.outputs(), p.values());
        Map<String, double[]> out = new HashMap<>();
        new ReferenceDevice().compile(stored).run(in).forEach((name, y) -> out.put(name, y.doubles()));
        return out;
    }

    private static Map<String, double[]> plain(Run r, DType real) {
        Map<Value, Tensor> at = new HashMap<>();
        r.program().inputs().forEach(i -> at.put(i.value(), store(r.inputs().get(i.name()), real)));
        r.program().constants().forEach(c -> at.put(c.value(), store(c.data(), real)));
        for (Instr i : r.program().body()) {
            Tracer t = new Tracer(i.op().toString());
            Map<String, Tensor> in = new HashMap<>();
            Value[] operands = new Value[i.in().size()];
            for (int k = 0; k < operands.length; k++) {
                operands[k] = t.input("x" + k, i.in().get(k).type());
                in.put("x" + k, at.get(i.in().get(k)));
            }
            t.output("y", t.emit1(i.op(), operands));
            at.put(i.result(), store(new ReferenceDevice().compile(t.finish()).run(in).get("y"), real));
        }
        Map<String, double[]> out = new HashMap<>();
        r.program().outputs().forEach(o -> out.put(o.name(), at.get(o.value()).doubles()));
        return out;
    }

    private static Tensor store(Tensor x, DType real) {
        return x.dtype() == DType.I64 ? x : Tensor.of(x.shape(), rounded(x.doubles(), real));
    }
}
