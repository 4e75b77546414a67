// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.Epilogue;
import org.tweedie.device.gpu.LibraryCall;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;
import org.tweedie.ptx.Options;

/** Convolutions and products, which a library does on a GPU, as the simulator computes them: the reference's numbers, rounded once. */
class LibraryTest {
    /** Half a unit in the last place, and what inputs and weights lose that are stored so. */
    private static double tolerance(DType t) {
        return switch (t) {
            case F32 -> 1e-7;
            case F16 -> 1e-3;
            default -> 8e-3;
        };
    }

    static Stream<OpCase> cases() {
        List<OpCase> more = List.of(
                new OpCase(new Conv2d(2, 0, 0, 0, 0), 1, List.of(Shape.of(2, 6, 9, 5), Shape.of(7, 5, 3, 3))),
                new OpCase(new Conv2d(3, 2, 1, 0, 2), 1, List.of(Shape.of(1, 14, 13, 16), Shape.of(32, 16, 4, 5), Shape.of(32))),
                new OpCase(new Conv2dVjp(new Conv2d(3, 2, 1, 0, 2), 14, 13), 1, List.of(Shape.of(1, 5, 4, 32), Shape.of(32, 16, 4, 5))));
        return Stream.concat(OpCase.all(), more.stream()).filter(c -> c.op() instanceof Conv2d || c.op() instanceof Conv2dVjp || c.op() instanceof MatMul);
    }

    /** silu(conv(x) + r) with and without each part, r an image or a number a channel and sample, made by a network. */
    static Stream<Program> epilogues() {
        return Stream.of(Shape.of(2, 5, 4, 6), Shape.of(2, 1, 1, 6), Shape.of()).flatMap(r -> Stream.of(true, false).flatMap(bias -> Stream.of(true, false).map(silu -> {
            Tracer t = new Tracer("conv" + (bias ? " + bias" : "") + (r.rank() == 0 ? "" : " + " + r) + (silu ? ", silu" : ""));
            Value x = t.input("x0", Type.real(2, 5, 4, 3));
            Value y = t.conv2d(x, t.constant("w", OpCase.random(Shape.of(6, 3, 3, 3), 2)), bias ? t.constant("b", OpCase.random(Shape.of(6), 3)) : null, 1, 1);
            if (r.rank() > 0) {
                Value column = t.input("x1", Type.real((int) r.size(), 1));
                y = t.add(t.reshape(t.linear(column, t.constant("a", Tensor.of(Shape.of(1, 1), 0.5f)), null), r), y);
            }
            t.output("y", silu ? t.silu(y) : y);
            return t.finish();
        })));
    }

    @ParameterizedTest
    @MethodSource
    void epilogues(Program p) {
        Map<String, Tensor> in = new HashMap<>();
        p.inputs().forEach(i -> in.put(i.name(), OpCase.random(i.value().shape(), 5 + in.size())));
        agrees(p, in);
        try (SimDevice d = new SimDevice(1, DType.F16, Options.STRICT); SimExecutable e = d.compile(p)) {
            LibraryCall last = (LibraryCall) e.steps().getLast(); // nothing of ours comes after it
            boolean residual = p.inputs().size() == 2;
            assertEquals(new Epilogue(residual, p.name().endsWith("silu")), last.epilogue());
            assertEquals(p.name().contains("bias"), last.bias() != null);
            assertEquals(residual, last.residual() != null);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReference(OpCase c) {
        agrees(c.program(3), c.inputs(7));
    }

    private static void agrees(Program p, Map<String, Tensor> in) {
        Map<String, Tensor> expected = new ReferenceDevice().compile(p).run(in);
        for (DType t : List.of(DType.F32, DType.F16, DType.BF16)) {
            for (int threads : new int[] {1, 3}) {
                try (SimDevice d = new SimDevice(threads, t, Options.STRICT); SimExecutable e = d.compile(p)) {
                    Map<String, Tensor> got = e.run(in);
                    assertEquals(expected.keySet(), got.keySet());
                    expected.forEach((name, y) -> Conformance.assertClose(y, got.get(name), tolerance(t), t + ", " + name));
                }
            }
        }
    }
}
