// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;

/** Tests what a device holds, shares, converts and refuses. */
class CpuDeviceTest {
    private CpuDevice device;

    @BeforeEach
    void open() {
        device = new CpuDevice(2);
    }

    @AfterEach
    void nothingStays() {
        assertEquals(0, device.liveBytes());
        device.close();
    }

    /** Traces y = x W^T + x [3] with a constant W [65,65]. */
    private static Program linear(Tensor w) {
        Tracer t = new Tracer("linear");
        Value x = t.input("x", Type.real(3, 65));
        t.output("y", t.add(t.linear(x, t.constant("w", w), null), x));
        return t.finish();
    }

    @Test
    void executablesShareWeights() {
        Tensor w = OpCase.random(Shape.of(65, 65), 1);
        try (CpuExecutable a = device.compile(linear(w))) {
            long before = device.liveBytes();
            try (CpuExecutable b = device.compile(linear(new Tensor(w.dtype(), w.shape(), w.data())))) {
                assertTrue(device.liveBytes() - before < b.arenaBytes() + 4 * w.size(), "the second one holds the weight again");
            }
            assertEquals(before, device.liveBytes());
            a.run(Map.of("x", OpCase.random(Shape.of(3, 65), 2)));
        }
    }

    /** A square weight that is read both ways, as a linear layer and its pull-back do, must be laid out twice. */
    @Test
    void aSquareWeightIsNotItsTranspose() {
        Tensor w = OpCase.random(Shape.of(64, 64), 1);
        Tracer t = new Tracer("both ways");
        Value x = t.input("x", Type.real(5, 64));
        Value weight = t.constant("w", w);
        t.output("forward", t.matmul(x, weight, false, true));
        t.output("back", t.matmul(x, weight, false, false));
        Map<String, Tensor> in = Map.of("x", OpCase.random(Shape.of(5, 64), 2));
        try (Device reference = new ReferenceDevice(); var law = reference.compile(t.finish());
                CpuExecutable e = device.compile(law.program())) {
            Map<String, Tensor> expected = law.run(in);
            e.run(in).forEach((name, got) -> assertArrayEquals(expected.get(name).doubles(), got.doubles(), 1e-4, name));
        }
    }

    @Test
    void constantsOfEveryFloatType() {
        float[] values = {0.5f, -1.25f, 3f, 1024f, -0.0625f, 7f};
        for (DType type : new DType[] {DType.F16, DType.BF16, DType.F32, DType.F64}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment s = arena.allocate(6L * type.bytes(), 8);
                for (int i = 0; i < 6; i++) {
                    switch (type) {
                        case F16 -> s.set(java.lang.foreign.ValueLayout.JAVA_SHORT, 2L * i, Float.floatToFloat16(values[i]));
                        case BF16 -> s.set(java.lang.foreign.ValueLayout.JAVA_SHORT, 2L * i,
                                (short) (Float.floatToIntBits(values[i]) >> 16));
                        case F32 -> s.set(java.lang.foreign.ValueLayout.JAVA_FLOAT, 4L * i, values[i]);
                        default -> s.set(java.lang.foreign.ValueLayout.JAVA_DOUBLE, 8L * i, values[i]);
                    }
                }
                Tracer t = new Tracer("constant");
                t.output("y", t.constant("c", new Tensor(type, Shape.of(2, 3), s)));
                try (CpuExecutable e = device.compile(t.finish())) {
                    assertArrayEquals(values, e.run(Map.of()).get("y").floats(), type.toString());
                }
            }
        }
    }

    @Test
    void refusesWrongInputs() {
        try (CpuExecutable e = device.compile(linear(OpCase.random(Shape.of(65, 65), 1)))) {
            assertThrows(IllegalArgumentException.class, () -> e.run(Map.of()));
            assertThrows(IllegalArgumentException.class, () -> e.run(Map.of("x", OpCase.random(Shape.of(2, 65), 2))));
        }
        CpuExecutable closed = device.compile(linear(OpCase.random(Shape.of(65, 65), 1)));
        closed.close();
        closed.close();
        assertThrows(IllegalStateException.class, () -> closed.run(Map.of("x", OpCase.random(Shape.of(3, 65), 2))));
    }

    @Test
    void namesTheInstructionThatWentWrong() {
        Tracer t = new Tracer("bad");
        Value x = t.input("x", Type.real(2, 3));
        t.output("y", t.scope("mid_block.root", () -> t.unary(Fn.SQRT, t.affine(x, -1, 0))));
        try (GuardedRun e = new GuardedRun(device, t.finish(), 0)) {
            ArithmeticException thrown = assertThrows(ArithmeticException.class,
                    () -> e.run(Map.of("x", Tensor.of(Shape.of(2, 3), 1f, 2f, 3f, 4f, 5f, 6f))));
            assertTrue(thrown.getMessage().contains("mid_block.root") && thrown.getMessage().contains("SQRT"),
                    thrown.getMessage());
        }
    }

    @Test
    void anIdOutsideOfTheTableIsRefused() {
        Tracer t = new Tracer("rows");
        Value ids = t.input("ids", new Type(DType.I64, Shape.of(2)));
        t.output("y", t.gather(t.constant("table", OpCase.random(Shape.of(5, 3), 1)), ids));
        try (CpuExecutable e = device.compile(t.finish())) {
            assertThrows(IllegalArgumentException.class, () -> e.run(Map.of("ids", Tensor.of(Shape.of(2), 1L, 5L))));
        }
    }

    @Test
    void whatALoopThrowsReachesTheCaller() {
        IllegalStateException thrown = assertThrows(IllegalStateException.class, () -> device.parallel.run(64, (k, temp) -> {
            if (k == 63) {
                throw new IllegalStateException("chunk " + k);
            }
        }));
        assertEquals("chunk 63", thrown.getMessage());
        int[] done = new int[64];
        device.parallel.run(64, (k, temp) -> done[k]++);
        for (int d : done) {
            assertEquals(1, d);
        }
    }

    /** Weights that are an input are laid out at each run. */
    @Test
    void convolutionWithWeightsGivenAtTheRun() {
        Tracer t = new Tracer("blur");
        Value x = t.input("x", Type.real(1, 8, 8, 3));
        Value w = t.input("w", Type.real(5, 3, 3, 3));
        t.output("y", t.conv2d(x, w, null, 1, 1));
        Map<String, Tensor> in = Map.of("x", OpCase.random(Shape.of(1, 8, 8, 3), 1), "w", OpCase.random(Shape.of(5, 3, 3, 3), 2));
        Program p = t.finish();
        double[] expected = new org.tweedie.device.reference.ReferenceDevice().compile(p).run(in).get("y").doubles();
        try (CpuExecutable e = device.compile(p)) {
            assertArrayEquals(expected, e.run(in).get("y").doubles(), 1e-5);
        }
    }
}
