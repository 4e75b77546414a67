// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.device.cuda.Parameters;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * Tests JCuda's and JCublas's own native libraries, called as this device calls them: in a JVM of its own, on a driver and a
 * cuBLAS in C that print the calls that reach them. The tests run where a C compiler is found.
 */
class JcudaTest {
    private static final Path SOURCES = Path.of("src/test/native");

    @TempDir
    Path folder;

    @Test
    void everyCallReachesTheDriverAsMeant() throws IOException, InterruptedException {
        String cc = Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .flatMap(d -> List.of(d + "/cc", d + "/gcc").stream())
                .filter(f -> Files.isExecutable(Path.of(f))).findFirst().orElse(null);
        assumeTrue(cc != null, "no C compiler found, so JCuda is not called here");
        Path versions = Files.writeString(folder.resolve("versions"), "libcublas.so.12 { global: *; };\n");
        run(List.of(cc, "-shared", "-fPIC", "-w", "-Wl,-soname,libcuda.so.1", "-o", folder.resolve("libcuda.so.1").toString(),
                SOURCES.resolve("standin_cuda.c").toString()));
        run(List.of(cc, "-shared", "-fPIC", "-w", "-Wl,-soname,libcublas.so.12", "-Wl,--version-script=" + versions, "-o",
                folder.resolve("libcublas.so.12").toString(),
                SOURCES.resolve("standin_cublas.c").toString()));
        String told = run(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), Calls.class.getName()));
        String expected = """
                cuInit 0
                Stand-in (sm_90) 132 85899345920 232448, 12060
                cuDevicePrimaryCtxRetain 0
                cuStreamCreate 1
                cuMemAlloc 4096
                cuMemAllocHost 64
                cuMemcpyHtoDAsync 64 stream
                cuMemcpyDtoDAsync 64 stream
                cuMemcpyDtoHAsync 64 stream
                3.25 came back
                cuMemsetD8Async 255 16 stream
                cuModuleLoadDataEx 2 options
                cuda: cuModuleLoadDataEx failed with CUDA_ERROR_INVALID_PTX (a PTX JIT compilation failed) \
                while compiling kernels/broken.ptx; its log: line 1; fatal: no version
                cuModuleLoadDataEx 2 options
                cuda: cuModuleGetFunction failed with CUDA_ERROR_NOT_FOUND (named symbol not found) for kernel absent
                cuModuleGetFunction module scale
                cuFuncSetAttribute scale 8 65536
                cuLaunchKernel scale <<<4,2,1 256,1,1 65536>>> stream: *3.25 0.5 -7
                cuStreamBeginCapture stream 1
                cuLaunchKernel scale <<<4,2,1 256,1,1 65536>>> stream: *3.25 0.5 -7
                cuStreamEndCapture stream
                cuGraphInstantiate graph 0
                cuGraphDestroy graph
                cuGraphLaunch exec stream
                cuStreamBeginCapture stream 1
                cuStreamEndCapture stream
                cuGraphDestroy graph
                cuGraphExecDestroy exec
                cuEventCreate 0
                cuEventRecord event stream
                cuEventRecordWithFlags event stream 1
                0.5 ms
                cuEventDestroy event
                cublasSetStream stream
                cublasSetWorkspace 1024
                cublasSetMathMode 16
                cublas 120600
                cublasGemmEx 10 2,3,4 1 a 3.25 0 4 b 3.25 0 4 beta 1 c 0 2 compute 68 -1
                cublasGemmStridedBatchedEx 01 2,3,4 1 a 3.25 14 2 8 b 3.25 14 3 0 beta 0 c 14 2 6 count 5 compute 68 -1
                cuda: cublasGemmStridedBatchedEx failed with CUBLAS_STATUS_EXECUTION_FAILED (the kernel did not run) \
                for Gemm[dtype=F16, transA=false, transB=false, m=2, n=3, k=4, lda=2, strideA=8, ldb=4, \
                strideB=0, ldc=2, strideC=6, count=99, beta=0.0]
                cublasDestroy handle
                cuda: cuMemAlloc failed with CUDA_ERROR_OUT_OF_MEMORY (out of memory)
                128974848 free
                cuModuleUnload module
                cuMemFreeHost
                cuMemFree
                cuStreamDestroy stream
                cuDevicePrimaryCtxRelease 0
                """;
        assertEquals(expected, told);
    }

    /** Returns what the other JVM prints on both streams, in order. */
    private String run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder b = new ProcessBuilder(command).redirectErrorStream(true);
        b.environment().put("LD_LIBRARY_PATH", folder.toString());
        Process p = b.start();
        p.getOutputStream().close();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), out);
        return out;
    }

    /** Makes the calls, in the other JVM. */
    static final class Calls {
        public static void main(String[] args) {
            Driver d = new Jcuda();
            Driver.Card card = d.card(0);
            tell(card + " " + card.multiprocessors() + " " + card.memory() + " " + card.sharedMemory() + ", " + d.version());
            d.makeCurrent(d.retain(0));
            Driver.Stream stream = d.stream();
            long block = d.allocate(4096);
            MemorySegment pinned = d.allocateHost(64);
            pinned.fill((byte) 0);
            pinned.set(ValueLayout.JAVA_FLOAT, 0, 3.25f);
            d.toDevice(block, pinned, stream);
            d.copy(block + 64, block, 64, stream);
            pinned.fill((byte) 0);
            d.toHost(pinned, block + 64, stream);
            d.synchronize(stream);
            tell(pinned.get(ValueLayout.JAVA_FLOAT, 0) + " came back");
            d.fill(block + 128, (byte) 0xFF, 16, stream);
            fails(() -> d.load("kernels/broken.ptx", "nothing"));
            Driver.Module m = d.load("kernels/scale.ptx", ".version 8.5");
            fails(() -> d.function(m, "absent"));
            Driver.Function f = d.function(m, "scale");
            d.allowShared(f, 65536);
            Driver.Graph g = launches(d, f, stream, new Buffer("x", DType.F32, Shape.of(4), block));
            d.launch(g, stream);
            d.beginCapture(stream);
            d.abandonCapture(stream);
            d.destroy(g);
            Driver.Event e = d.event();
            d.record(e, stream);
            d.recordByGraph(e, stream);
            tell(d.milliseconds(e, e) + " ms");
            d.destroy(e);
            products(d.blas(stream, block + 1024, 1024), block);
            fails(() -> d.allocate(1L << 40));
            tell(d.freeBytes() + " free");
            d.unload(m);
            d.freeHost(pinned);
            d.free(block);
            d.destroy(stream);
            d.release(0);
        }

        private static Driver.Graph launches(Driver d, Driver.Function f, Driver.Stream stream, Buffer x) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment arguments = Parameters.of(List.of(new Arg.InOut(x), new Arg.F32(0.5f), new Arg.I32(-7)), arena);
                d.launch(f, Launch.Dim.of(4, 2), Launch.Dim.of(256), 65536, stream, arguments);
                d.beginCapture(stream);
                d.launch(f, Launch.Dim.of(4, 2), Launch.Dim.of(256), 65536, stream, arguments);
                return d.endCapture(stream);
            }
        }

        private static void products(Blas blas, long block) {
            tell("cublas " + blas.version());
            blas.gemm(new Blas.Gemm(DType.F32, true, false, 2, 3, 4, 4, 0, 4, 0, 2, 0, 1, 1), block, block + 64, block + 256);
            blas.gemm(new Blas.Gemm(DType.BF16, false, true, 2, 3, 4, 2, 8, 3, 0, 2, 6, 5, 0), block, block + 64, block + 256);
            fails(() -> blas.gemm(new Blas.Gemm(DType.F16, false, false, 2, 3, 4, 2, 8, 4, 0, 2, 6, 99, 0), block, block, block));
            blas.close();
        }

        private static void fails(Runnable call) {
            try {
                call.run();
                tell("did not fail");
            } catch (CudaException e) {
                tell(e.getMessage());
            }
        }

        private static void tell(String line) {
            System.err.println(line);
        }
    }
}
