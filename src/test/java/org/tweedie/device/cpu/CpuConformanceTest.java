// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.device.reference.PlainBf16;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.*;

/** Tests every op, its pull-back and its push-forward on the CPU device against the reference device. */
class CpuConformanceTest {
    /**
     * The bound on |y - y'| / |y| (Euclidean). An F32 number is off by 3e-8 on average, a plain F32 sum of n products by about
     * sqrt(n) of that: 1e-6 for the longest sums here (n = 1025). The bound is set by the pull-back of a quotient's scalar
     * divisor, a sum of 845 terms that cancel.
     */
    private static final double TOLERANCE = 3e-6;

    /** The bound in BF16, as on the simulated GPU. */
    private static final double BRAIN = 1.6e-2;
    private static final int GUARD = 128;
    private static CpuDevice one;
    private static CpuDevice two;
    private static CpuDevice three;
    private static CpuDevice sparing;
    private static CpuDevice brain;
    private static CpuDevice oneBrain;
    private static CpuDevice threeBrain;
    private static CpuDevice sparingBrain;
    private static CpuDevice brainless;

    @BeforeAll
    static void open() {
        one = new CpuDevice(1);
        two = new CpuDevice(2);
        three = new CpuDevice(3);
        sparing = new CpuDevice(2, DType.F32, true, 0);
        brain = new CpuDevice(2, DType.BF16, null);
        oneBrain = new CpuDevice(1, DType.BF16, null);
        threeBrain = new CpuDevice(3, DType.BF16, null);
        sparingBrain = new CpuDevice(2, DType.BF16, Primitives.hasBf16(), 0);
        brainless = new CpuDevice(2, DType.BF16, false, 1 << 30);
    }

    @AfterAll
    static void close() {
        for (CpuDevice d : List.of(one, two, three, sparing, brain, oneBrain, threeBrain, sparingBrain, brainless)) {
            assertEquals(0, d.liveBytes());
            d.close();
        }
    }

    static Stream<OpCase> cases() {
        return Stream.concat(OpCase.all(), more().stream());
    }

    /**
     * Returns shapes that reach what the common cases do not: long and wide sums, several blocks of queries, wide rows, negative
     * padding.
     */
    private static List<OpCase> more() {
        List<OpCase> c = new ArrayList<>();
        c.add(new OpCase(new ReduceSum(List.of(1)), 1, List.of(Shape.of(2, 40_003))));
        c.add(new OpCase(new ReduceSum(List.of(0, 1)), 1, List.of(Shape.of(33, 17, 100))));
        c.add(new OpCase(new Binary(Binary.Kind.MUL), 2, List.of(Shape.of(2, 17, 31, 65), Shape.of(65))));
        c.add(new OpCase(new Binary(Binary.Kind.ADD), 2, List.of(Shape.of(3, 40_001), Shape.of(3, 40_001))));
        c.add(new OpCase(new GroupNormalization(8, 1e-6, true), 1, List.of(Shape.of(1, 17, 31, 64), Shape.of(64), Shape.of(64))));
        c.add(new OpCase(new GroupNormalization(1, 1e-6, false), 1, List.of(Shape.of(2, 33, 31, 3), Shape.of(3), Shape.of(3))));
        c.add(new OpCase(new DotProductAttention(2, false), 3, List.of(Shape.of(2, 40, 10), Shape.of(2, 8003, 10), Shape.of(2,
                8003, 10))));
        c.add(new OpCase(new DotProductAttention(2, true), 3, List.of(Shape.of(1, 521, 6), Shape.of(1, 521, 6), Shape.of(1, 521,
                6))));
        c.add(new OpCase(new Convolution(2, 0, 0, 0, 0), 1, List.of(Shape.of(2, 6, 9, 5), Shape.of(7, 5, 3, 3))));
        c.add(new OpCase(new Convolution(3, 2, 1, 0, 2), 1, List.of(Shape.of(1, 14, 13, 16), Shape.of(32, 16, 4, 5),
                Shape.of(32))));
        c.add(new OpCase(new MatMul(false, true), 1, List.of(Shape.of(3, 4096), Shape.of(17, 4096))));
        return c;
    }

    /**
     * Stores networks in BF16, in an arena of NaN with guards behind each buffer, and then with one, two and three threads; the
     * bytes must be equal. The bound is the cost of 16 bits: operands and results are rounded, each by 2^-9 at most, and sums of
     * them cancel. Where they cancel so much that plain evaluation in BF16 is farther off, it is twice the error of that.
     */
    @ParameterizedTest
    @MethodSource("cases")
    void storesNetworksInBf16(OpCase c) {
        Conformance.runs(c).flatMap(r -> Stream.of(r, Conformance.throughNetwork(r))).forEach(r -> {
            Map<String, Tensor> got = inBf16(brain, r);
            for (CpuDevice d : List.of(oneBrain, brain, threeBrain)) {
                try (CpuExecutable e = d.compile(r.program())) {
                    assertSame(got, e.run(r.inputs()), r.name() + " in BF16 with " + d.parallel.threads() + " threads");
                }
            }
        });
    }

    /** Each weight is held in one layout only, or oneDNN has no products in BF16. */
    @ParameterizedTest
    @MethodSource("cases")
    void storesNetworksInBf16InOtherWays(OpCase c) {
        boolean product = products().anyMatch(c::equals);
        boolean attention = c.op() instanceof DotProductAttention;
        Conformance.runs(c).forEach(r -> {
            if (product) {
                inBf16(sparingBrain, r);
            }
            if (product || attention) {
                inBf16(brainless, r);
            }
        });
    }

    private static Map<String, Tensor> inBf16(CpuDevice device, Conformance.Run r) {
        try (GuardedRun e = new GuardedRun(device, r.program(), GUARD)) {
            Map<String, Tensor> got = e.run(r.inputs());
            assertTrue(e.guardsIntact(), r.name() + " in BF16 wrote beyond its buffer");
            Map<String, Tensor> plain = PlainBf16.run(e.program(), r.inputs());
            new ReferenceDevice().compile(r.program()).run(r.inputs())
                    .forEach((name, y) -> Conformance.assertClose(y, got.get(name), Math.max(BRAIN, 2 * Conformance.distance(y,
                            plain.get(name))), r.name() + " in BF16, " + name));
            return got;
        }
    }

    /** Each weight is held in one layout only, as it is for models of gigabytes. */
    @ParameterizedTest
    @MethodSource("products")
    void agreesWithReferenceWhereMemoryIsSpared(OpCase c) {
        Conformance.runs(c).forEach(r -> {
            try (GuardedRun e = new GuardedRun(sparing, r.program(), GUARD)) {
                Map<String, Tensor> got = e.run(r.inputs());
                assertTrue(e.guardsIntact(), r.name() + " wrote beyond its buffer");
                new ReferenceDevice().compile(r.program()).run(r.inputs())
                        .forEach((name, y) -> Conformance.assertClose(y, got.get(name), TOLERANCE, r.name() + ", " + name));
            }
        });
    }

    static Stream<OpCase> products() {
        return cases().filter(c -> c.op() instanceof Convolution || c.op() instanceof ConvolutionVjp || c.op() instanceof MatMul);
    }

    /**
     * Runs each case in an arena of NaN with guards behind each buffer, and then in the tight arena, twice, with one, two and
     * three threads; the bytes must be equal.
     */
    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReference(OpCase c) {
        Conformance.runs(c).forEach(r -> {
            Map<String, Tensor> guarded;
            try (GuardedRun e = new GuardedRun(two, r.program(), GUARD)) {
                guarded = e.run(r.inputs());
                assertTrue(e.guardsIntact(), r.name() + " wrote beyond its buffer");
            }
            Map<String, Tensor> expected = new ReferenceDevice().compile(r.program()).run(r.inputs());
            expected.forEach((name, y) -> Conformance.assertClose(y, guarded.get(name), TOLERANCE, r.name() + ", " + name));
            if (r.name().equals("forward") && Conformance.moves(c.op())) {
                expected.forEach((name, y) -> Conformance.assertBits(y, guarded.get(name), r.name() + ", " + name));
            }
            for (CpuDevice d : List.of(one, two, three)) {
                try (CpuExecutable e = d.compile(r.program())) {
                    assertSame(guarded, e.run(r.inputs()), r.name() + " with " + d.parallel.threads() + " threads");
                    assertSame(guarded, e.run(r.inputs()), r.name() + " run again");
                }
            }
        });
    }

    private static void assertSame(Map<String, Tensor> expected, Map<String, Tensor> actual, String message) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, x) -> {
            assertEquals(DType.F32, actual.get(name).dtype());
            assertArrayEquals(x.floats(), actual.get(name).floats(), 0f, message + ": " + name);
        });
    }
}
