// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
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

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReference(OpCase c) {
        Program p = c.program(3);
        Map<String, Tensor> expected = new ReferenceDevice().compile(p).run(c.inputs(7));
        for (DType t : List.of(DType.F32, DType.F16, DType.BF16)) {
            for (int threads : new int[] {1, 3}) {
                try (SimDevice d = new SimDevice(threads, t, Options.STRICT); SimExecutable e = d.compile(p)) {
                    Map<String, Tensor> got = e.run(c.inputs(7));
                    assertEquals(expected.keySet(), got.keySet());
                    expected.forEach((name, y) -> Conformance.assertClose(y, got.get(name), tolerance(t), t + ", " + name));
                }
            }
        }
    }
}
