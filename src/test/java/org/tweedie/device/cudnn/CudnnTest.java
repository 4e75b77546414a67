// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.cudnn.binding.CudnnLibrary;
import org.tweedie.device.cudnn.binding.DescriptorKind;
import org.tweedie.device.cudnn.engine.Note;
import org.tweedie.device.cudnn.engine.PlanCache;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;
import org.tweedie.program.op.MatMul;

/** Tests opening, failing half-way, closing, and which operations are supported. */
class CudnnTest {
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

    /** Whatever finishes badly, everything that was made before must be destroyed, which {@link #nothingLives} checks. */
    @Test
    void everyFailureHalfWayLeavesNothing() {
        bench.fake.status = 2000;
        for (DescriptorKind k : List.of(DescriptorKind.TENSOR, DescriptorKind.CONVOLUTION,
                DescriptorKind.OPERATION_CONVOLUTION_FORWARD, DescriptorKind.OPERATIONGRAPH, DescriptorKind.ENGINEHEUR)) {
            bench.fake.failing = (kind, before) -> kind == k.code;
            try (Cudnn cudnn = bench.open(90, null)) {
                CudnnException e = assertThrows(CudnnException.class, () -> cudnn.prepare(CudnnBench.CALL), k.toString());
                assertTrue(e.getMessage().startsWith("cuDNN: cudnnBackendFinalize of " + k
                        + " failed with CUDNN_STATUS_BAD_PARAM (2000)"), e.getMessage());
                assertTrue(e.getMessage().contains("while preparing " + CudnnBench.CALL), e.getMessage());
                assertEquals(2000, e.status());
            }
            assertEquals(Map.of(), bench.fake.live, k.toString());
        }
    }

    /** The first failure is reported, and the others keep nothing alive, which {@link #nothingLives} checks. */
    @Test
    void whateverFailsToCloseTheRestIsClosed() {
        Type q = Type.real(1, 4, 16);
        Cudnn cudnn = bench.open(90, null);
        assertTrue(cudnn.takes(new DotProductAttention(2, false), List.of(q, q, q), DType.F16)
                && cudnn.takes(new DotProductAttention(1, false), List.of(q, q, q), DType.F16));
        Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL);
        bench.fake.destroyed = 5000;
        int live = bench.fake.live.size();
        CudnnException e = assertThrows(CudnnException.class, p::close);
        assertTrue(e.getMessage().startsWith("cuDNN: cudnnBackendDestroyDescriptor of EXECUTION_PLAN failed with"),
                e.getMessage());
        assertTrue(bench.fake.live.size() < live && e.getSuppressed().length > 0);
        e = assertThrows(CudnnException.class, cudnn::close);
        assertTrue(e.getMessage().contains("cudnnBackendDestroyDescriptor of EXECUTION_PLAN") && e.getMessage()
                .contains("preparing DotProductAttention"), e.getMessage());
        assertTrue(e.getSuppressed()[e.getSuppressed().length - 1].getMessage().startsWith("cuDNN: cudnnDestroy failed"),
                "the handle is last");
    }

    @Test
    void aFailureIsToldThoughClosingFailsToo() {
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.OPERATIONGRAPH.code;
        bench.fake.status = 2000;
        try (Cudnn cudnn = bench.open(90, null)) {
            bench.fake.destroyed = 5000;
            CudnnException e = assertThrows(CudnnException.class, () -> cudnn.prepare(CudnnBench.CALL));
            assertTrue(e.getMessage().startsWith("cuDNN: cudnnBackendFinalize of OPERATIONGRAPH"), e.getMessage());
            assertEquals(1, e.getSuppressed().length);
            bench.fake.destroyed = 0;
        }
        bench.fake.destroyed = 5000;
        CudnnException e = assertThrows(CudnnException.class, () -> Cudnn.open(bench.fake, 666, CudnnBench.CARD,
                CudnnBench.COMPILERS, 90, null, null));
        assertTrue(e.getMessage().startsWith("cuDNN: cudnnSetStream"), e.getMessage());
    }

    /** When one of the engines cannot be closed, neither the chosen one nor the others may stay open. */
    @Test
    void anEngineThatLostAndFailsToCloseLeavesNothing() {
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST), CudnnBench.offer(FakeCudnn.SECOND),
                CudnnBench.offer(CudnnBench.THIRD));
        Clock clock = new Clock(3, 2, 1);
        clock.afterwards = () -> bench.fake.destroyed = 5000;
        try (Cudnn cudnn = bench.open(90, clock)) {
            assertThrows(CudnnException.class, () -> cudnn.prepare(CudnnBench.CALL));
            assertEquals(Map.of(), bench.fake.live);
            bench.fake.destroyed = 0;
        }
        assertEquals(Map.of(), clock.live, "memory of trials");
    }

    @Test
    void aFailingRunSaysWhichEngineAndWhat() {
        try (Cudnn cudnn = bench.open(90, null); Vendor.Prepared p = cudnn.prepare(CudnnBench.CALL)) {
            bench.fake.failing = (kind, before) -> kind == DescriptorKind.VARIANT_PACK.code;
            CudnnException e = assertThrows(CudnnException.class, () -> p.run(CudnnBench.CALL, 4096));
            String m = e.getMessage();
            assertTrue(m.contains("VARIANT_PACK") && m.contains("while running eng41 k2=19 k28=2, Convolution"), m);
            CudnnException more = e.at("in group 3").at("in program 'unet'");
            assertEquals(m + " in group 3 in program 'unet'", more.getMessage());
            assertEquals(3000, more.status());
            assertEquals(e, more.getCause().getCause());
        }
    }

    @Test
    void openingFails() {
        bench.fake.version = 8904;
        String old = assertThrows(IllegalStateException.class, () -> bench.open(90, null)).getMessage();
        assertEquals("cuDNN: expected version 9, got 8.9.4; install cuDNN 9 for CUDA 12 or 13", old);
        bench.fake.version = 90501;
        String m = assertThrows(CudnnException.class, () -> Cudnn.open(bench.fake, 666, CudnnBench.CARD, CudnnBench.COMPILERS, 90,
                new PlanCache(bench.file, bench.warnings::add), null)).getMessage();
        assertTrue(m.startsWith("cuDNN: cudnnSetStream failed with CUDNN_STATUS_BAD_PARAM (2000)")
                && m.endsWith("while opening cuDNN 9.5.1 for NVIDIA Test Card"), m);
    }

    @Test
    void aMissingFunctionIsNamed() {
        CudnnLibrary none = new CudnnLibrary(_ -> Optional.empty());
        assertEquals("cuDNN: the library has no function cudnnGetVersion; expected cuDNN 9 (libcudnn.so.9)", none.missing()
                .getMessage());
        assertEquals(none.missing(), assertThrows(UnsatisfiedLinkError.class, none::version));
        assertEquals(none.missing(), assertThrows(UnsatisfiedLinkError.class, () -> none.execute(0, 0, 0)));
        assertThrows(UnsatisfiedLinkError.class, () -> Cudnn.open(_ -> Optional.empty(), 0, "card", "compilers", 90, null, null));
    }

    /** Our rules alone are not enough: the library itself must prepare each kind of call once. */
    @Test
    void attentionIsTakenIfThereIsAnEngine() {
        DotProductAttention op = new DotProductAttention(2, false);
        Type q = Type.real(1, 4, 16);
        Type lse = Type.real(1, 2, 4);
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST, Note.NONDETERMINISTIC));
        try (Cudnn cudnn = bench.open(90, null)) {
            String reason = cudnn.refusal(op, List.of(q, q, q), DType.F16).orElseThrow();
            assertTrue(reason.startsWith("cuDNN: no engine supports this; while preparing DotProductAttention")
                    && reason.contains(CudnnBench.CARD), reason);
            assertEquals(List.of("cuDNN 9.24.0: it has no engine for an operation, so our kernel is used. " + reason),
                    bench.warnings);
            assertFalse(cudnn.takes(new DotProductAttentionVjp(op, false), List.of(q, q, q, q, lse, q), DType.F16));
            int asked = bench.fake.asked;
            assertFalse(cudnn.takes(op, List.of(q, q, q), DType.F16));
            assertEquals(asked, bench.fake.asked);
        }
        bench.fake.offers = List.of(CudnnBench.offer(FakeCudnn.FIRST));
        Buffer b = new Buffer("q", DType.F16, q.shape(), 0);
        LibraryCall call = new LibraryCall(op, Epilogue.NONE, List.of(b, b, b),
                List.of(b, new Buffer("lse", DType.F32, lse.shape(), 0)));
        try (Cudnn cudnn = bench.open(90, null); Vendor.Prepared p = cudnn.prepare(call)) {
            int asked = bench.fake.asked;
            assertTrue(cudnn.takes(op, List.of(q, q, q), DType.F16));
            assertEquals(asked, bench.fake.asked, p + " is stored");
            int live = bench.fake.live.size();
            cudnn.prepare(call).close();
            assertTrue(bench.fake.live.size() < live, "what was prepared when asked is what is prepared");
        }
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.EXECUTION_PLAN.code;
        try (Cudnn cudnn = bench.open(90, null)) {
            assertTrue(cudnn.refusal(op, List.of(q, q, q), DType.BF16).orElseThrow().contains("none could be made ready"),
                    "an engine that is named and fails is none");
        }
        bench.fake.failing = (kind, before) -> kind == DescriptorKind.OPERATIONGRAPH.code;
        try (Cudnn cudnn = bench.open(90, null)) {
            assertTrue(cudnn.refusal(op, List.of(q, q, q), DType.BF16).orElseThrow().contains("OPERATIONGRAPH"));
        }
    }

    @Test
    void whatIsNotForCudnn() {
        LibraryCall product = new LibraryCall(new MatMul(false, false), Epilogue.NONE, CudnnBench.CALL.in(),
                CudnnBench.CALL.out());
        LibraryCall mixed = new LibraryCall(CudnnBench.CALL.op(), Epilogue.NONE, CudnnBench.CALL.in(),
                List.of(new Buffer("sums", DType.F32, Shape.of(1, 4, 4, 8), 0)));
        try (Cudnn cudnn = bench.open(90, null)) {
            assertTrue(assertThrows(IllegalArgumentException.class, () -> cudnn.prepare(product)).getMessage()
                    .contains("MatMul is not given to cuDNN"));
            String m = assertThrows(IllegalArgumentException.class, () -> cudnn.prepare(mixed)).getMessage();
            assertTrue(m.contains("expected sums:F32[1,4,4,8] in F16"), m);
            assertFalse(cudnn.offer().takes(product.op(), List.of(Type.real(2, 2), Type.real(2, 2)), DType.F16));
        }
    }
}
