// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Tensor;
import org.tweedie.ptx.launch.MachineOptions;

/** Every op, its pull-back and its push-forward, as lowered for a GPU, on the PTX machine against the reference device. */
class SimConformanceTest {
    /**
     * Bound on |y - y'| / |y| (Euclidean): that of the CPU device, 3e-6, and what approximate instructions may be off by, each by
     * the
     * whole error that the ISA allows.
     */
    private static final double TOLERANCE = 1e-5;

    private static final int GUARD = 128;
    private static SimDevice strict;
    private static SimDevice one;
    private static SimDevice three;
    private static SimDevice half;
    private static SimDevice brain;

    @BeforeAll
    static void open() {
        strict = new SimDevice(2, DType.F32, MachineOptions.STRICT);
        one = new SimDevice(1);
        three = new SimDevice(3);
        half = new SimDevice(2, DType.F16, MachineOptions.STRICT);
        brain = new SimDevice(2, DType.BF16, MachineOptions.STRICT);
    }

    @AfterAll
    static void close() {
        for (SimDevice d : List.of(strict, one, three, half, brain)) {
            assertEquals(0, d.liveBytes());
            d.close();
        }
    }

    static Stream<OpCase> cases() {
        return OpCase.all();
    }

    /** In an arena of NaN with guards behind each buffer; then in the tight arena, twice: equal bytes. */
    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReference(OpCase c) {
        Conformance.runs(c).forEach(r -> {
            Map<String, Tensor> guarded;
            try (SimExecutable e = strict.compileGuarded(r.program(), GUARD)) {
                guarded = e.run(r.inputs());
                assertTrue(e.guardsIntact(), r.name() + " wrote beyond its buffer");
            }
            new ReferenceDevice().compile(r.program()).run(r.inputs()).forEach((name, y) -> {
                Conformance.assertClose(y, guarded.get(name), TOLERANCE, r.name() + ", " + name);
                if (r.name().equals("forward") && Conformance.moves(c.op())) {
                    Conformance.assertBits(y, guarded.get(name), r.name() + ", " + name);
                }
            });
            try (SimExecutable e = strict.compile(r.program())) {
                assertSame(guarded, e.run(r.inputs()), r.name() + " in the tight arena");
                assertSame(guarded, e.run(r.inputs()), r.name() + " run again");
            }
        });
    }

    @ParameterizedTest
    @MethodSource("cases")
    void threadsOfTheHostDoNotMatter(OpCase c) {
        Conformance.runs(c).forEach(r -> {
            try (SimExecutable e = one.compile(r.program()); SimExecutable f = three.compile(r.program())) {
                assertSame(e.run(r.inputs()), f.run(r.inputs()), r.name());
            }
        });
    }

    /**
     * The bound is the cost of 16 bits: operands and results are rounded, each by at most 2^-12 (F16) or 2^-9 (BF16) on average,
     * and sums of them cancel.
     */
    @ParameterizedTest
    @MethodSource("cases")
    void storesNetworksInSixteenBits(OpCase c) {
        Conformance.runs(c).forEach(r -> {
            Map<String, Tensor> expected = new ReferenceDevice().compile(r.program()).run(r.inputs());
            try (SimExecutable e = half.compileGuarded(r.program(), GUARD); SimExecutable f = brain.compileGuarded(r.program(),
                    GUARD)) {
                Map<String, Tensor> h = e.run(r.inputs());
                Map<String, Tensor> b = f.run(r.inputs());
                expected.forEach((name, y) -> Conformance.assertClose(y, h.get(name), 2e-3, r.name() + " in F16, " + name));
                expected.forEach((name, y) -> Conformance.assertClose(y, b.get(name), 1.6e-2, r.name() + " in BF16, " + name));
                assertTrue(e.guardsIntact() && f.guardsIntact(), r.name() + " wrote beyond its buffer");
            }
        });
    }

    private static void assertSame(Map<String, Tensor> expected, Map<String, Tensor> actual, String message) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, x) -> assertArrayEquals(x.floats(), actual.get(name).floats(), 0f, message + ": " + name));
    }
}
