// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.cudnn.binding.DescriptorKind;
import org.tweedie.device.cudnn.engine.EngineChoice;
import org.tweedie.device.cudnn.engine.NoEngineException;
import org.tweedie.device.cudnn.engine.Note;
import org.tweedie.device.cudnn.engine.PlanCache;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.Convolution;

/** Tests the choice of engines by trying them, and the storage of the choice. */
class ChoosingTest {
    @TempDir
    Path folder;

    private CudnnBench bench;

    @BeforeEach
    void bench() {
        bench = new CudnnBench(folder.resolve("cache/plans.json"));
    }

    @AfterEach
    void nothingLives() {
        assertEquals(Map.of(), bench.fake.live, "descriptors");
        assertEquals(0, bench.fake.handles, "handles");
        bench.close();
    }

    @Test
    void theFirstEngineWithoutAClock() {
        try (Cudnn cudnn = bench.open(90, null); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng41 k2=19 k28=2", p.toString());
            assertEquals(1000, p.workspace());
            assertEquals("9.24.0", cudnn.version());
        }
    }

    @Test
    void theFastestEngineWithAClock() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND),
                CudnnBench.offer(CudnnBench.THIRD));
        Clock clock = new Clock(3e-3, 1e-3, 2e-3);
        try (Cudnn cudnn = bench.open(90, clock); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng7", p.toString());
            assertEquals(List.of(FakeCudnn.FIRST, FakeCudnn.FIRST, FakeCudnn.SECOND, FakeCudnn.SECOND, CudnnBench.THIRD,
                    CudnnBench.THIRD), bench.fake.ran, "warmed up, then timed");
        }
        assertEquals(Map.of(), clock.live, "memory of trials");
    }

    @Test
    void onlyTheFirstFewAreTried() {
        bench.fake.offers = LongStream.range(0, 9).mapToObj(i -> CudnnBench.offer(new EngineChoice(i, new TreeMap<>()))).toList();
        Clock clock = new Clock(9, 8, 7, 6, 5, 4, 3, 2, 1);
        try (Cudnn cudnn = bench.open(90, clock); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng3", p.toString());
            assertEquals(4, clock.timed);
        }
    }

    @Test
    void withoutMemoryToTryTheFirstIsTakenForNow() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND));
        Clock clock = new Clock(2, 1);
        bench.fake.planBytes = 5000;
        clock.most = 4999; // the operands have room, but the engine's working memory has not
        try (Cudnn cudnn = bench.open(90, clock)) {
            try (Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
                assertEquals("cudnn eng41 k2=19 k28=2", p.toString());
            }
            assertTrue(bench.warnings.getFirst().contains("engines cannot be tried") && bench.warnings.getFirst()
                    .endsWith("not enough memory for its 5000 bytes of working memory"),
                    bench.warnings.toString());
            assertEquals(Map.of(), clock.live, "memory of trials");
            clock.most = Long.MAX_VALUE;
            try (Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
                assertEquals("cudnn eng7", p.toString(), "nothing was stored");
            }
        }
    }

    @Test
    void anEngineThatHasNoRoomStopsNoOther() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND),
                CudnnBench.offer(CudnnBench.THIRD));
        bench.fake.bytesOfEngine = Map.of(FakeCudnn.FIRST.engine(), 1L << 40);
        Clock clock = new Clock(2, 1);
        clock.most = 1 << 20;
        try (Cudnn cudnn = bench.open(90, clock)) {
            try (Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
                assertEquals("cudnn eng3 k24=5", p.toString());
            }
            assertEquals(1, bench.warnings.size(), bench.warnings.toString());
            assertTrue(bench.warnings.getFirst()
                    .startsWith("cuDNN: there is not enough memory to try eng41 k2=19 k28=2 (1099511627776 bytes of working "
                    + "memory), but others were tried; while preparing"),
                    bench.warnings.getFirst());
            try (Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
                assertEquals("cudnn eng3 k24=5", p.toString(), "it is stored");
            }
        }
        assertEquals(Map.of(), clock.live, "memory of trials");
    }

    @Test
    void withoutRoomForAnyTheSmallestIsTakenForNow() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND),
                CudnnBench.offer(CudnnBench.THIRD));
        bench.fake.bytesOfEngine = Map.of(FakeCudnn.FIRST.engine(), 7000L, FakeCudnn.SECOND.engine(), 6000L,
                CudnnBench.THIRD.engine(), 8000L);
        Clock clock = new Clock();
        clock.most = 5000;
        try (Cudnn cudnn = bench.open(90, clock); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng7", p.toString());
            assertEquals(1, bench.warnings.size(), bench.warnings.toString());
            assertTrue(bench.warnings.getFirst().contains("the one that needs the least memory is taken for now"),
                    bench.warnings.getFirst());
        }
    }

    @Test
    void withoutRoomForOperandsTheFirstIsTakenForNow() {
        Clock clock = new Clock();
        clock.most = 255;
        try (Cudnn cudnn = bench.open(90, clock); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng41 k2=19 k28=2", p.toString());
            assertTrue(bench.warnings.getFirst().contains("the one that cuDNN believes fastest") && bench.warnings.getFirst()
                    .endsWith("the operands and results"),
                    bench.warnings.getFirst());
        }
        assertEquals(Map.of(), clock.live, "memory of trials");
    }

    /**
     * The smallest of the engines within three per cent of the fastest must be chosen, and cuDNN's first where no time is known.
     */
    @Test
    void ofEqualsTheOneThatTakesLessMemory() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND),
                CudnnBench.offer(CudnnBench.THIRD));
        bench.fake.bytesOfEngine = Map.of(FakeCudnn.FIRST.engine(), 9000L, FakeCudnn.SECOND.engine(), 5000L,
                CudnnBench.THIRD.engine(), 100L);
        assertEquals("cudnn eng7", chosen(new Clock(1, 1.029, 1.031), Shape.of(8, 1, 1, 8)));
        assertEquals("cudnn eng3 k24=5", chosen(new Clock(1.02, 1.01, 1), Shape.of(8, 1, 2, 8)));
        assertEquals("cudnn eng41 k2=19 k28=2", chosen(new Clock(1, 2, 3), Shape.of(8, 2, 1, 8)));
        double never = Double.POSITIVE_INFINITY;
        assertEquals("cudnn eng41 k2=19 k28=2", chosen(new Clock(never, never, never), Shape.of(8, 2, 2, 8)));
        assertEquals("cudnn eng7", chosen(new Clock(never, 1, never), Shape.of(8, 2, 3, 8)));
        bench.fake.bytesOfEngine = Map.of();
        assertEquals("cudnn eng7", chosen(new Clock(1.01, 1, 1.02), Shape.of(8, 3, 2, 8)), "of one size the fastest");
    }

    private String chosen(Clock clock, Shape filter) {
        Convolution op = new Convolution(1, 0, 0, filter.dim(1) - 1, filter.dim(2) - 1);
        LibraryCall call = new LibraryCall(op, Epilogue.NONE, List.of(CudnnBench.CALL.in().getFirst(),
                new Buffer("filter", DType.F16, filter, 0)), CudnnBench.CALL.out());
        try (Cudnn cudnn = bench.open(90, clock)) {
            return prepared(cudnn, call);
        }
    }

    /** A shortage of memory must not stop the program; a card that does not answer any more must. */
    @Test
    void aFaultOfTheCardIsNoLackOfMemory() {
        Clock clock = new Clock();
        clock.fault = new IllegalStateException("an illegal memory access was encountered");
        try (Cudnn cudnn = bench.open(90, clock)) {
            assertEquals(clock.fault, assertThrows(IllegalStateException.class, () -> cudnn.prepare(CudnnBench.CALL)));
        }
        assertEquals(List.of(), bench.warnings);
    }

    /** The kernel faults after its launch; a status of cuDNN tells the next launch. */
    @Test
    void aFaultThatCudnnTellsIsNoFailureOfAnEngineAlone() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST));
        bench.fake.failingRuns = Set.of(FakeCudnn.FIRST);
        bench.fake.status = 5000;
        Clock clock = new Clock();
        clock.onAllocate = bytes -> clock.fault = bytes == bench.fake.planBytes
                ? new IllegalStateException("an illegal memory access was encountered") : null;
        try (Cudnn cudnn = bench.open(90, clock)) {
            String m = assertThrows(IllegalStateException.class, () -> cudnn.prepare(CudnnBench.CALL)).getMessage();
            assertTrue(m.startsWith("cuDNN: trying eng41 k2=19 k28=2 failed; while preparing")
                    && m.endsWith("an illegal memory access was encountered"), m);
        }
        assertEquals(List.of(), bench.warnings);
        assertEquals(Map.of(), clock.live, "memory of trials");
    }

    @Test
    void aCardThatIsNotPresent() {
        try (Cudnn cudnn = Cudnn.without(bench.fake, "{}", CudnnBench.CARD, 90, new PlanCache(bench.file, bench.warnings::add));
                Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng41 k2=19 k28=2", p.toString());
            assertTrue(assertThrows(IllegalStateException.class, () -> p.run(CudnnBench.CALL, 4096)).getMessage()
                    .contains("a card that is not present"));
        }
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.DEVICEPROP.code;
        assertThrows(CudnnException.class, () -> Cudnn.without(bench.fake, "{}", CudnnBench.CARD, 90, null));
    }

    @Test
    void anEngineThatFailsWhenTriedIsPassedOverAndSaid() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND));
        bench.fake.failingRuns = Set.of(FakeCudnn.FIRST);
        Clock clock = new Clock(1);
        try (Cudnn cudnn = bench.open(90, clock)) {
            try (Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
                assertEquals("cudnn eng7", p.toString());
            }
            assertEquals(1, bench.warnings.size());
            assertTrue(bench.warnings.getFirst().contains("cudnnBackendExecute failed with") && bench.warnings.getFirst()
                    .contains("running eng41"),
                    bench.warnings.getFirst());
            bench.fake.failingRuns = Set.of(FakeCudnn.FIRST, FakeCudnn.SECOND);
            LibraryCall other = new LibraryCall(new Convolution(1, 0, 0, 2, 2), Epilogue.NONE, CudnnBench.CALL.in(),
                    CudnnBench.CALL.out());
            String m = assertThrows(NoEngineException.class, () -> cudnn.prepare(other)).getMessage();
            assertTrue(m.contains("each engine failed when it was tried"), m);
        }
        assertEquals(Map.of(), clock.live, "memory of trials");
    }

    @Test
    void unwantedNotesAndPlansThatDoNotFinish() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST, Note.NONDETERMINISTIC), CudnnBench.offer(FakeCudnn.SECOND),
                CudnnBench.offer(CudnnBench.THIRD));
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.EXECUTION_PLAN.code && before == 0;
        try (Cudnn cudnn = bench.open(90, null); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng3 k24=5", p.toString());
        }
    }

    /** An engine that does not fit is ordinary. A broken compiler must be reported, and it is the same for all shapes. */
    @Test
    void anEngineThatFailsForAnotherReasonIsSaidOnce() {
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.EXECUTION_PLAN.code && before % 2 == 0;
        for (int status : List.of(2000, 3000, 4001)) {
            bench.fake.status = status;
            try (Cudnn cudnn = bench.open(90, null)) {
                for (int stride = 1; stride < 3; stride++) {
                    LibraryCall call = new LibraryCall(new Convolution(stride, 0, 0, status, status), Epilogue.NONE,
                            CudnnBench.CALL.in(), CudnnBench.CALL.out());
                    assertEquals("cudnn eng7", prepared(cudnn, call));
                }
            }
            assertEquals(status < 4000 ? 0 : 1, bench.warnings.size(), bench.warnings.toString());
        }
        String line = bench.warnings.getFirst();
        assertTrue(line.startsWith("cuDNN: an engine cannot be made ready although it supports the graph")
                && line.contains("it may be slower")
                && line.contains("delete " + bench.file)
                && line.contains("failed with CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED (4001)"), line);
    }

    private static String prepared(Cudnn cudnn, LibraryCall call) {
        try (Vendor.Prepared p = cudnn.prepare(call)) {
            return p.toString();
        }
    }

    @Test
    void noEngine() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST, Note.WINOGRAD), CudnnBench.offer(FakeCudnn.SECOND));
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.EXECUTION_PLAN.code;
        try (Cudnn cudnn = bench.open(90, null)) {
            String m = assertThrows(IllegalStateException.class, () -> cudnn.prepare(CudnnBench.CALL),
                    "not asked for wrongly, which would be exit code 2").getMessage();
            assertTrue(m.startsWith("cuDNN: no engine supports this; while preparing Convolution"), m);
            assertTrue(m.contains("image:F16[1,4,4,8]") && m.contains(CudnnBench.CARD) && m.contains("9.24.0")
                    && m.contains("WINOGRAD"), m);
            assertTrue(m.contains("1 support the graph, but none could be made ready: cuDNN: cudnnBackendFinalize of "
                    + "EXECUTION_PLAN failed with CUDNN_STATUS_NOT_SUPPORTED (3000): the fake was told to fail"), m);
        }
    }

    @Test
    void theChoiceIsRemembered() throws Exception {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND));
        try (Cudnn cudnn = bench.open(90, new Clock(2, 1)); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng7", p.toString());
        }
        int asked = bench.fake.asked;
        try (Cudnn cudnn = bench.open(90, new Clock()); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng7", p.toString());
        }
        assertEquals(asked, bench.fake.asked, "heuristics were asked again");
        assertTrue(Files.readString(bench.file)
                .contains("NVIDIA Test Card / cuDNN 9.24.0, NVRTC 12.6, driver for CUDA 12.8 / "
                        + "Convolution[stride=1, top=1, left=1, "
                + "bottom=1, right=1] "
                + "F16[1,4,4,8] F16[8,3,3,8] -> F16[1,4,4,8]"), Files.readString(bench.file));
        try (Cudnn cudnn = Cudnn.open(bench.fake, 5, CudnnBench.CARD, "NVRTC 12.6, driver for CUDA 12.9", 90,
                new PlanCache(bench.file, bench.warnings::add), null)) {
            assertEquals("cudnn eng41 k2=19 k28=2", prepared(cudnn, CudnnBench.CALL), "another driver compiles other kernels");
        }
        bench.fake.version = 92300;
        try (Cudnn cudnn = bench.open(90, null); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng41 k2=19 k28=2", p.toString(), "another version chooses for itself");
        }
        assertEquals(List.of(), bench.warnings);
    }

    @Test
    void aRememberedChoiceThatFailsIsReplacedAndSaid() {
        try (Cudnn cudnn = bench.open(90, null); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng41 k2=19 k28=2", p.toString());
        }
        bench.fake.offers = List.of(CudnnBench.offer(CudnnBench.THIRD));
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.ENGINE.code && before == 1;
        try (Cudnn cudnn = bench.open(90, null); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            assertEquals("cudnn eng3 k24=5", p.toString());
        }
        assertEquals(1, bench.warnings.size());
        assertTrue(bench.warnings.getFirst().contains("the stored choice eng41 k2=19 k28=2") && bench.warnings.getFirst()
                .contains("choosing anew"),
                bench.warnings.getFirst());
    }
}
