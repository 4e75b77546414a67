// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.MachineOptions;

/** What the simulated device holds, shares, catches and refuses. */
class SimDeviceTest {
    private SimDevice device;

    @BeforeEach
    void open() {
        device = new SimDevice(2, DType.F32, MachineOptions.STRICT);
    }

    @AfterEach
    void nothingStays() {
        assertEquals(0, device.liveBytes());
        device.close();
    }

    /** y = silu(x W^T + x) [3,65] with a constant W [65,65]. */
    private static Program layer(Tensor w) {
        Tracer t = new Tracer("layer");
        Value x = t.input("x", Type.real(3, 65));
        t.output("y", t.scope("mid_block", () -> t.silu(t.add(t.linear(x, t.constant("w", w), null), x))));
        return t.finish();
    }

    private static final Map<String, Tensor> X = Map.of("x", OpCase.random(Shape.of(3, 65), 2));

    @Test
    void executablesShareWeights() {
        Tensor w = OpCase.random(Shape.of(65, 65), 1);
        try (SimExecutable a = device.compile(layer(w))) {
            long before = device.liveBytes();
            try (SimExecutable b = device.compile(layer(new Tensor(w.dtype(), w.shape(), w.data())))) {
                assertEquals(before + b.arenaBytes(), device.liveBytes(), "the second one holds the weight again");
            }
            assertEquals(before, device.liveBytes());
            a.run(X);
            assertThrows(IllegalStateException.class, device::close);
        }
    }

    /** What a value held must not be read once its last reader is done: the last launch, run again, reads what is dead. */
    @Test
    void aDeadValueIsNotRead() {
        Tracer t = new Tracer("dead");
        Value x = t.input("x", Type.real(64));
        Value y = t.affine(x, 2, 0);
        t.output("z", t.sum(t.broadcast(y, Shape.of(3, 64)), 0));
        t.output("x", x);
        try (SimExecutable e = device.compile(t.finish())) {
            e.run(Map.of("x", OpCase.random(Shape.of(64), 1)));
            List<PlanStep> steps = e.steps();
            device.simulator.launch((Launch) steps.getFirst()); // reads x, which is an output too and so lives on
            KernelFault fault = assertThrows(KernelFault.class, () -> device.simulator.launch((Launch) steps.getLast()));
            assertEquals(KernelFault.Kind.UNINITIALISED, fault.kind());
        }
    }

    @Test
    void aFaultNamesProgramInstructionAndBuffer() {
        Tracer t = new Tracer("rows");
        Value ids = t.input("ids", new Type(DType.I64, Shape.of(2)));
        t.output("y", t.scope("embeddings", () -> t.gather(t.constant("table", OpCase.random(Shape.of(5, 3), 1)), ids)));
        try (SimExecutable e = device.compile(t.finish())) {
            e.run(Map.of("ids", Tensor.of(Shape.of(2), 0L, 4L)));
            KernelFault fault = assertThrows(KernelFault.class, () -> e.run(Map.of("ids", Tensor.of(Shape.of(2), 1L, 5L))));
            assertTrue(fault.getMessage().startsWith("program 'rows', embeddings: [Gather[]]: "), fault.getMessage());
        }
    }

    @Test
    void countsWhatItRuns() {
        try (SimExecutable e = device.compile(layer(OpCase.random(Shape.of(65, 65), 1)))) {
            e.run(X);
            long once = e.counts().threadInstructions;
            assertTrue(once > 2 * 195, once + " instructions for two kernels over 195 elements");
            e.run(X);
            assertEquals(2 * once, e.counts().threadInstructions);
        }
    }

    /** Constants as results, in whole numbers too. */
    @Test
    void constantsAreResults() {
        Tracer t = new Tracer("constants");
        t.output("y", t.reshape(t.constant("c", Tensor.of(Shape.of(2, 3), 0.5, -1.25, 3, 1024, -0.0625, 7)), Shape.of(6)));
        t.output("n", t.constant("ids", Tensor.of(Shape.of(2), 5L, -7L)));
        try (SimExecutable e = device.compile(t.finish())) {
            Map<String, Tensor> out = e.run(Map.of());
            assertArrayEquals(new float[] {0.5f, -1.25f, 3f, 1024f, -0.0625f, 7f}, out.get("y").floats());
            assertArrayEquals(new long[] {5, -7}, out.get("n").longs());
        }
    }

    @Test
    void refusesWrongInputs() {
        assertThrows(IllegalArgumentException.class, () -> new SimDevice(0));
        try (SimExecutable e = device.compile(layer(OpCase.random(Shape.of(65, 65), 1)))) {
            assertThrows(IllegalArgumentException.class, () -> e.run(Map.of()));
            assertThrows(IllegalArgumentException.class, () -> e.run(Map.of("x", OpCase.random(Shape.of(2, 65), 2))));
        }
        SimExecutable closed = device.compile(layer(OpCase.random(Shape.of(65, 65), 1)));
        closed.close();
        closed.close();
        assertThrows(IllegalStateException.class, () -> closed.run(X));
    }

    @Test
    void anArenaBeyondTheMachineIsRefused() {
        Tracer t = new Tracer("large");
        Value x = t.input("x", Type.real(1 << 28));
        t.output("y", t.concat(0, x, x));
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> device.compile(t.finish()));
        assertTrue(e.getMessage().contains("the arena of program 'large' needs 3072 MiB"), e.getMessage());
    }
}
