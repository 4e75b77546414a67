// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tweedie.device.OpCase;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Softmax;
import org.tweedie.ptx.launch.MachineOptions;

/**
 * Tests the host side of the CUDA device: it closes what it opens, in order; its messages when a call fails; and what a graph may
 * contain.
 */
class CudaDeviceTest {
    private static final Map<String, Tensor> X = Map.of("x", OpCase.random(Shape.of(2, 4, 4, 8), 2));
    private final MachineDriver driver = new MachineDriver(MachineOptions.running(1));

    @AfterEach
    void nothingStays() {
        driver.assertNothingStays();
    }

    private CudaDevice open(boolean graphs, OpTimes times) {
        return new CudaDevice(driver, (d, s, c, m) -> driver.vendor, new CudaOptions(DType.F32, graphs, 0, times, false),
                Ranges.NONE);
    }

    /** Traces y = silu(conv(x)) times a matrix: a library's call, kernels of ours, and a product. */
    private static Program block(String name, Tensor w) {
        Tracer t = new Tracer(name);
        Value x = t.input("x", Type.real(2, 4, 4, 8));
        Value h = t.scope("conv_in", () -> t.conv2d(x, t.constant("conv_in.weight", w), null, 1, 1));
        Value n = t.scope("norm", () -> t.silu(t.emit1(new Softmax(), h)));
        t.output("y", t.scope("proj", () -> t.linear(t.reshape(n, Shape.of(32, 8)),
                t.constant("proj.weight", OpCase.random(Shape.of(8, 8), 4)), null)));
        return t.finish();
    }

    private static Tensor weight() {
        return OpCase.random(Shape.of(8, 8, 3, 3), 1);
    }

    @Test
    void theFirstRunGoesLaunchByLaunchAllOthersAreOneGraph() {
        try (CudaDevice device = open(true, null); CudaExecutable e = device.compile(block("block", weight()))) {
            Tensor y = e.run(X).get("y");
            assertEquals(0, driver.graphLaunches);
            int once = driver.launches;
            assertTrue(once >= 1, once + " launches");
            driver.log.clear();
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(y.floats(), e.run(X).get("y").floats(), 0f);
            }
            assertEquals(3, driver.graphLaunches);
            assertEquals(4 * once, driver.launches, "the graph holds the launches of the first run");
            assertEquals(1, driver.log.stream().filter(l -> l.startsWith("beginCapture")).count(), "captured once");
            assertEquals(0, driver.log.stream().filter(l -> l.startsWith("allocate") || l.startsWith("load")
                    || l.startsWith("free")).count(), driver.log.toString());
            Map<String, Tensor> other = Map.of("x", OpCase.random(Shape.of(2, 4, 4, 8), 5));
            Tensor z = e.run(other).get("y");
            try (CudaExecutable fresh = device.compile(block("block", weight()))) {
                assertArrayEquals(fresh.run(other).get("y").floats(), z.floats(), 0f, "a graph reads what its inputs hold now");
            }
        }
    }

    @Test
    void withoutGraphsItWaitsForEachGroupAndNamesTheOneThatFails() {
        try (CudaDevice device = open(false, null); CudaExecutable e = device.compile(block("block", weight()))) {
            e.run(X);
            e.run(X);
            assertEquals(0, driver.graphLaunches);
            assertEquals(0, driver.log.stream().filter(l -> l.startsWith("beginCapture")).count());
            driver.failing.put("synchronize", new CudaException("cuStreamSynchronize", 700, "CUDA_ERROR_ILLEGAL_ADDRESS",
                    "an illegal memory access was encountered"));
            CudaException x = assertThrows(CudaException.class, () -> e.run(X));
            assertEquals("cuda: cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was "
                    + "encountered) in conv_in: "
                    + "[Convolution[stride=1, top=1, left=1, bottom=1, right=1]] in program 'block'", x.getMessage());
        }
    }

    @Test
    void aGraphThatFailsSaysHowToFindTheKernel() {
        try (CudaDevice device = open(true, null); CudaExecutable e = device.compile(block("block", weight()))) {
            e.run(X);
            e.run(X);
            driver.failing.put("synchronize", new CudaException("cuStreamSynchronize", 700, "CUDA_ERROR_ILLEGAL_ADDRESS",
                    "an illegal memory access was encountered"));
            CudaException x = assertThrows(CudaException.class, () -> e.run(X));
            assertTrue(x.getMessage().endsWith("in program 'block', graph replayed; --graphs off names the kernel"),
                    x.getMessage());
        }
    }

    @Test
    void aCaptureThatFailsIsAbandonedAndTriedAgain() {
        try (CudaDevice device = open(true, null); CudaExecutable e = device.compile(block("block", weight()))) {
            Tensor y = e.run(X).get("y");
            driver.failing.put("call", new CudaException("cublasGemmEx", 13, "CUBLAS_STATUS_EXECUTION_FAILED",
                    "the kernel did not run"));
            CudaException x = assertThrows(CudaException.class, () -> e.run(X));
            assertTrue(x.getMessage().contains("conv_in") && x.getMessage().contains("program 'block'"), x.getMessage());
            assertTrue(driver.log.contains("abandonCapture "));
            assertArrayEquals(y.floats(), e.run(X).get("y").floats(), 0f);
            assertEquals(1, driver.graphLaunches);
        }
    }

    @Test
    void weightsAreUploadedOnceAndSharedAndCallsPreparedOnce() {
        try (CudaDevice device = open(true, null)) {
            Tensor w = weight();
            try (CudaExecutable a = device.compile(block("a", w))) {
                int uploads = count("toDevice");
                int prepared = driver.vendor.prepared();
                try (CudaExecutable b = device.compile(block("b", new Tensor(w.dtype(), w.shape(), w.data())))) {
                    assertEquals(uploads + 1, count("toDevice"), "only the matrix, whose numbers are new, goes up again");
                    assertEquals(prepared, driver.vendor.prepared());
                    b.run(X);
                }
                a.run(X);
                assertThrows(IllegalStateException.class, device::close);
            }
            assertEquals(0, device.liveBytes());
        }
    }

    private int count(String call) {
        return (int) driver.log.stream().filter(l -> l.startsWith(call + " ")).count();
    }

    @Test
    void whatIsOpenedIsClosedLastOpenedFirst() {
        CudaDevice device = open(true, null);
        CudaExecutable e = device.compile(block("block", weight()));
        e.run(X);
        e.run(X);
        driver.log.clear();
        e.close();
        e.close();
        device.close();
        List<String> kinds = driver.log.stream().map(l -> l.replaceAll("(\\w+) .*", "$1")).toList();
        assertEquals("destroy", kinds.getFirst(), "the graph goes before the memory it works on: " + kinds);
        assertEquals("release", kinds.getLast());
        assertTrue(driver.log.indexOf("destroy graph") < driver.log.indexOf("destroy stream")
                && kinds.lastIndexOf("free") < kinds.indexOf("release"), driver.log.toString());
        assertThrows(IllegalStateException.class, () -> e.run(X));
    }

    @Test
    void memoryOfClosedExecutablesIsGivenOutAgain() {
        try (CudaDevice device = open(true, null)) {
            device.compile(block("block", weight())).close();
            int asked = count("allocate");
            device.compile(block("block", weight())).close();
            assertEquals(asked, count("allocate"), "blocks kept are used again");
        }
    }

    @Test
    void memoryThatIsOutNamesOwnersAndWorkGoesOn() {
        try (CudaDevice device = open(true, null); CudaExecutable small = device.compile(block("small", weight()))) {
            Tracer t = new Tracer("large");
            Value x = t.input("x", Type.real(1 << 20));
            t.output("y", t.concat(0, x, x));
            Program large = t.finish();
            long held = driver.capacity - driver.freeBytes();
            driver.capacity = held + (4 << 20);
            CudaException e = assertThrows(CudaException.class, () -> device.compile(large));
            assertTrue(e.getMessage().startsWith("cuda: cuMemAlloc failed with CUDA_ERROR_OUT_OF_MEMORY (out of memory) for 12 "
                    + "MiB of the arena of program 'large'; "
                    + "4 MiB are free, live are 33 MiB: cuBLAS 32 MiB, "), e.getMessage());
            assertTrue(e.getMessage().contains("the arena of program 'small' 1 MiB"), e.getMessage());
            assertTrue(e.getMessage().endsWith("try a smaller image or batch, --dtype bf16, or close other programs on the card"),
                    e.getMessage());
            small.run(X);
            driver.capacity = held + (16 << 20);
            try (CudaExecutable now = device.compile(large)) {
                now.run(Map.of("x", OpCase.random(Shape.of(1 << 20), 3)));
            }
        }
    }

    @Test
    void keptMemoryGoesBackBeforeMemoryIsOut() {
        try (CudaDevice device = open(true, null)) {
            long a = device.memory.allocate(8 << 20, "a");
            device.memory.free(a);
            driver.capacity = driver.capacity - driver.freeBytes() + (4 << 20);
            long b = device.memory.allocate(12 << 20, "b");
            device.memory.free(b);
            assertThrows(IllegalStateException.class, () -> device.memory.free(b));
        }
    }

    @Test
    void opsAreTimedWhenAsked() {
        OpTimes times = new OpTimes();
        try (CudaDevice device = open(true, times); CudaExecutable e = device.compile(block("block", weight()))) {
            Tensor y = e.run(X).get("y");
            assertArrayEquals(y.floats(), e.run(X).get("y").floats(), 0f);
            assertEquals(2, driver.graphLaunches, "both as graphs that time themselves, after a run that is nobody's time");
            assertTrue(e.deviceSeconds() > 0);
        }
        assertTrue(times.ops().size() >= 3, times.ops().toString());
        assertTrue(times.ops().stream().allMatch(o -> o.getValue().count() == 2 && o.getValue().seconds() > 0
                && o.getKey().program().equals("block")));
        OpTimes.Op conv = times.ops().stream().map(Map.Entry::getKey).filter(o -> o.where().equals("conv_in")).findFirst()
                .orElseThrow();
        assertEquals(2L * 8 * 9 * 2 * 4 * 4 * 8, conv.cost().flops());
        assertEquals(4 * (2 * 256 + 576), conv.cost().bytes());
        assertEquals(2, times.runs().getFirst().getValue().count());
    }

    @Test
    void withoutGraphsOpsAreTimedOneByOne() {
        OpTimes times = new OpTimes();
        try (CudaDevice device = open(false, times); CudaExecutable e = device.compile(block("block", weight()))) {
            e.run(X);
            assertEquals(0, driver.graphLaunches);
        }
        assertTrue(times.ops().size() >= 3 && times.ops().stream().allMatch(o -> o.getValue().count() == 1
                && o.getValue().seconds() > 0), times.ops().toString());
    }

    @Test
    void modulesAndGraphsGetTheRoomThatIsKept() {
        try (CudaDevice device = open(true, null)) {
            long a = device.memory.allocate(8 << 20, "a");
            device.memory.free(a);
            driver.failing.put("load", new CudaException("cuModuleLoadDataEx", CudaException.OUT_OF_MEMORY,
                    "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"));
            int freed = count("free");
            try (CudaExecutable e = device.compile(block("block", weight()))) {
                assertEquals(freed + 1, count("free"));
                e.run(X);
                a = device.memory.allocate(8 << 20, "a");
                device.memory.free(a);
                driver.failing.put("endCapture", new CudaException("cuGraphInstantiate", CudaException.OUT_OF_MEMORY,
                        "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"));
                e.run(X);
                assertEquals(freed + 2, count("free"));
                assertEquals(1, driver.graphLaunches);
                assertTrue(device.peakBytes() >= (32 << 20) + (8 << 20));
            }
        }
    }

    @Test
    void idsBeyondTheirTableAreRefusedBeforeAnythingRuns() {
        Tracer t = new Tracer("text");
        Value ids = t.input("ids", new Type(DType.I64, Shape.of(2)));
        t.output("y", t.gather(t.constant("table", OpCase.random(Shape.of(5, 3), 1)), ids));
        try (CudaDevice device = open(true, null); CudaExecutable e = device.compile(t.finish())) {
            e.run(Map.of("ids", Tensor.of(Shape.of(2), 0L, 4L)));
            int launches = driver.launches;
            IllegalArgumentException x = assertThrows(IllegalArgumentException.class,
                    () -> e.run(Map.of("ids", Tensor.of(Shape.of(2), 1L, 5L))));
            assertEquals("text: input 'ids' picks row 5 of a table of 5 rows", x.getMessage());
            assertEquals(launches, driver.launches);
        }
    }

    @Test
    void aCompileThatFailsHalfwayLeavesNothing() {
        try (CudaDevice device = open(true, null)) {
            driver.failing.put("load", new CudaException("cuModuleLoadDataEx", 222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
                    "the provided PTX was compiled with an unsupported toolchain."));
            CudaException e = assertThrows(CudaException.class, () -> device.compile(block("block", weight())));
            assertTrue(e.getMessage().startsWith("cuda: cuModuleLoadDataEx failed with CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
                    e.getMessage());
            assertEquals(0, device.liveBytes());
            driver.failing.put("toDevice", new CudaException("cuMemcpyHtoDAsync", 700, "CUDA_ERROR_ILLEGAL_ADDRESS",
                    "an illegal memory access was encountered"));
            e = assertThrows(CudaException.class, () -> device.compile(block("block", weight())));
            assertTrue(e.getMessage().endsWith("while uploading 'conv_in.weight'") || e.getMessage()
                    .endsWith("while uploading 'proj.weight'"), e.getMessage());
            assertEquals(0, device.liveBytes());
        }
    }

    @Test
    void wrongCardsAreRefused() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> new CudaDevice(driver, (d, s, c, m) -> driver.vendor, new CudaOptions(DType.F32, true, 1, null, false),
                Ranges.NONE));
        assertEquals("device 'cuda': expected a card from 0 to 0, got 1", e.getMessage());
        driver.cards = 0;
        assertEquals("the driver sees no card; 'nvidia-smi' lists them, CUDA_VISIBLE_DEVICES may hide them",
                assertThrows(IllegalStateException.class, () -> open(true, null)).getMessage());
        driver.cards = 1;
        driver.card = new Driver.Card("GeForce RTX 2080", 75, 46, 8L << 30, 64 << 10);
        IllegalStateException old = assertThrows(IllegalStateException.class, () -> open(true, null));
        assertEquals("expected a card of compute capability 8.0 (Ampere) or more, got GeForce RTX 2080 (sm_75); use --device cpu",
                old.getMessage());
        driver.vendor.close();
        assertFalse(driver.log.contains("retain 0"));
    }

    @Test
    void anOpeningThatFailsLeavesNothing() {
        driver.failing.put("blas", new CudaException("cublasCreate", 1, "CUBLAS_STATUS_NOT_INITIALIZED",
                "the library could not be set up"));
        assertThrows(CudaException.class, () -> open(true, null));
        driver.vendor.close();
    }

    /** After a kernel's fault the driver answers every call with that fault. */
    @Test
    void aFaultedCardIsClosedAllTheSameAndTheFaultIsWhatIsTold() {
        CudaException fault = new CudaException("cuStreamSynchronize", 700, "CUDA_ERROR_ILLEGAL_ADDRESS",
                "an illegal memory access was encountered");
        CudaException x = assertThrows(CudaException.class, () -> {
            try (CudaDevice device = open(true, null); CudaExecutable e = device.compile(block("block", weight()))) {
                e.run(X);
                driver.failing.put("synchronize", fault);
                driver.sticky = true;
                e.run(X);
            }
        });
        assertTrue(x.getMessage().startsWith("cuda: cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS"), x.getMessage());
        assertEquals(2, x.getSuppressed().length, "the executable's closing and the device's");
        assertTrue(java.util.Arrays.stream(x.getSuppressed()).allMatch(s -> s instanceof CudaException),
                "no bytes are left of which a device would complain");
    }

    @Test
    void anOpeningThatFailsTwiceTellsTheFirst() {
        driver.failing.put("blas", new CudaException("cublasCreate", 1, "CUBLAS_STATUS_NOT_INITIALIZED",
                "the library could not be set up"));
        driver.failing.put("freeHost", new CudaException("cuMemFreeHost", 700, "CUDA_ERROR_ILLEGAL_ADDRESS",
                "an illegal memory access was encountered"));
        CudaException x = assertThrows(CudaException.class, () -> open(true, null));
        assertTrue(x.getMessage().startsWith("cuda: cublasCreate failed"), x.getMessage());
        assertEquals(1, x.getSuppressed().length);
        driver.vendor.close();
    }

    @Test
    void itSaysWhatItIs() {
        try (CudaDevice device = open(false, null)) {
            assertEquals("PTX machine (sm_80), 1 multiprocessors, 2 GiB, driver for CUDA 12.6, cuBLAS 12.6, a library in "
                    + "double precision, networks in F32, without graphs",
                    device.description());
            assertEquals("cuda", device.name());
        }
    }
}
