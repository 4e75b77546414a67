// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.JCuda;
import jcuda.runtime.cudaError;

/**
 * Loads NVIDIA's libraries into a JVM of its own, since they cannot be unloaded, and prints what they report as {@code name:
 * value} lines.
 */
public final class LoadLibraries {
    private LoadLibraries() {}

    /**
     * Runs the program.
     *
     * @param args nothing, or {@code bare} to load JCuda's natives without the libraries that they need
     */
    public static void main(String[] args) throws Throwable {
        if (args.length == 0) {
            vendor();
        }
        natives(JcudaNatives.RUNTIME, LoadLibraries::runtime);
        natives(JcudaNatives.CUBLAS, LoadLibraries::cublas);
        natives(JcudaNatives.DRIVER, () -> print("driver", "loaded"));
    }

    private static void vendor() throws Throwable {
        Libraries found = Libraries.find();
        print("driver there", found.driver() instanceof Found ? "yes" : "no");
        long start = System.nanoTime();
        Loaded loaded = Loaded.of(found);
        print("loading took", (System.nanoTime() - start) / 1_000_000 + " ms");
        print("cuBLAS", loaded.cublasVersion());
        print("cuDNN", loaded.cudnnText());
        print("cuDNN's CUDA", loaded.cudnnCudaText());
        print("NVRTC", loaded.nvrtcVersion());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(ValueLayout.ADDRESS);
            print("cudnnCreate", Integer.toString(create(loaded, "cudnnCreate", handle)));
            print("cublasCreate_v2", Integer.toString(create(loaded, "cublasCreate_v2", handle)));
            MemorySegment program = arena.allocate(ValueLayout.ADDRESS);
            print("nvrtcCompileProgram", Integer.toString(compile(loaded, arena, program)));
        }
    }

    private static int create(Loaded loaded, String name, MemorySegment handle) throws Throwable {
        return (int) Linker.nativeLinker().downcallHandle(loaded.symbols().findOrThrow(name),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                .invokeExact(handle);
    }

    /** Compiles with NVRTC, which needs no GPU; if it succeeds, its builtins were found. */
    private static int compile(Loaded loaded, Arena arena, MemorySegment program) throws Throwable {
        Linker linker = Linker.nativeLinker();
        MemorySegment source = arena.allocateFrom("extern \"C\" __global__ void f(float* x) { x[threadIdx.x] = 0.0f; }");
        int made = (int) linker.downcallHandle(loaded.symbols().findOrThrow("nvrtcCreateProgram"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                .invokeExact(program, source, MemorySegment.NULL, 0, MemorySegment.NULL, MemorySegment.NULL);
        if (made != 0) {
            return made;
        }
        return (int) linker.downcallHandle(loaded.symbols().findOrThrow("nvrtcCompileProgram"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS)).invokeExact(program.get(ValueLayout.ADDRESS, 0), 0,
                MemorySegment.NULL);
    }

    private static void natives(JcudaNatives which, Runnable then) {
        try {
            which.load();
        } catch (UnsatisfiedLinkError e) {
            print(which + " failed", e.getMessage());
            return;
        }
        then.run();
    }

    private static void runtime() {
        JCuda.setExceptionsEnabled(false);
        int[] out = new int[1];
        JCuda.cudaRuntimeGetVersion(out);
        print("JCuda's CUDA runtime", DriverSearch.text(out[0]));
        print("cudaGetDeviceCount", cudaError.stringFor(JCuda.cudaGetDeviceCount(out)));
    }

    private static void cublas() {
        JCublas2.setExceptionsEnabled(false);
        print("JCublas2.cublasCreate", cublasStatus.stringFor(JCublas2.cublasCreate(new cublasHandle())));
    }

    private static void print(String name, String value) {
        System.out.println(name + ": " + value);
    }
}
