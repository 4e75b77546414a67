// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.ptx.launch.MachineOptions;

/**
 * Tests every op, its pull-back and its push-forward through the whole host side of the CUDA device, on a driver that runs
 * everything on the PTX machine. The launches go one by one first and as a graph then; the bytes must be equal.
 */
class CudaConformanceTest {
    static Stream<OpCase> cases() {
        return OpCase.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReferenceInF32(OpCase c) {
        agrees(c, DType.F32, 1e-5);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReferenceInBf16(OpCase c) {
        agrees(c, DType.BF16, 1.6e-2);
    }

    /** Here the library computes attention and its pull-back too. */
    @ParameterizedTest
    @MethodSource("attentions")
    void agreesWithReferenceWhenALibraryTakesAttention(OpCase c) {
        MachineDriver driver = new MachineDriver(MachineOptions.running(1));
        driver.vendor.offerAll();
        agrees(c, driver, DType.BF16, 1.6e-2);
    }

    static Stream<OpCase> attentions() {
        return OpCase.all().filter(c -> c.op() instanceof DotProductAttention);
    }

    private static void agrees(OpCase c, DType real, double tolerance) {
        agrees(c, new MachineDriver(MachineOptions.running(1)), real, tolerance);
    }

    private static void agrees(OpCase c, MachineDriver driver, DType real, double tolerance) {
        CudaDevice device = new CudaDevice(driver, (d, s, card, m) -> driver.vendor, new CudaOptions(real, true, 0, null, false),
                Ranges.NONE);
        agrees(c, device, tolerance);
        device.close();
        driver.assertNothingStays();
    }

    /** Makes three runs: launch by launch, captured, and replayed. */
    static void agrees(OpCase c, CudaDevice device, double tolerance) {
        Conformance.runs(c).forEach(r -> {
            Map<String, Tensor> expected = new ReferenceDevice().compile(r.program()).run(r.inputs());
            try (CudaExecutable e = device.compile(r.program())) {
                Map<String, Tensor> first = e.run(r.inputs());
                expected.forEach((name, y) -> Conformance.assertClose(y, first.get(name), tolerance, r.name() + ", " + name));
                for (int i = 0; i < 2; i++) {
                    Map<String, Tensor> again = e.run(r.inputs());
                    first.forEach((name, y) -> assertArrayEquals(y.floats(), again.get(name).floats(), 0f, r.name()
                            + " as a graph: " + name));
                }
            }
            assertEquals(0, device.liveBytes(), r.name() + " left memory behind");
        });
    }
}
