// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;

/**
 * NVIDIA's libraries, loaded into this process; they cannot be unloaded. Loading needs neither a GPU nor the driver.
 *
 * @param cublasVersion the version that cuBLAS reports, for example 12.6.3
 * @param cudnnVersion the version that cuDNN reports, 10000 x major + 100 x minor + patch, for example 90501
 * @param cudnnCuda the CUDA that cuDNN was built with, 1000 x major + 10 x minor, for example 12060
 * @param nvrtcVersion the version that NVRTC reports, for example 12.6
 * @param symbols finds the functions of all of them
 */
public record Loaded(Found cublas, Found cudnn, Found nvrtc, String cublasVersion, long cudnnVersion, long cudnnCuda,
        String nvrtcVersion,
        SymbolLookup symbols) {
    /** The value of CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH. */
    private static final int VERSION_MISMATCH = 1002;

    /**
     * Loads what was found, by full path and each library before those that need it, so that names without a path refer to
     * libraries that are loaded already.
     *
     * @throws UnsatisfiedLinkError in one line: what is missing, does not load or does not fit, and what to do
     */
    public static Loaded of(Libraries libraries) {
        Found cublas = require(libraries.cublas());
        Found cudnn = require(libraries.cudnn());
        Found nvrtc = require(libraries.nvrtc());
        for (Found f : List.of(nvrtc, cublas, cudnn)) {
            f.files().forEach(file -> load(f.what(), file));
        }
        SymbolLookup symbols = SymbolLookup.loaderLookup();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT, 2);
            long cudnnVersion = number(symbols, "cudnnGetVersion");
            long cuda = number(symbols, "cudnnGetCudartVersion");
            fit(symbols, cudnn, nvrtc, cuda);
            return new Loaded(cublas, cudnn, nvrtc, cublasVersion(symbols, out), cudnnVersion, cuda, nvrtcVersion(symbols, out),
                    symbols);
        }
    }

    /** Returns cuDNN's version in its usual form, for example 9.5.1. */
    public String cudnnText() {
        return cudnnVersion / 10_000 + "." + cudnnVersion / 100 % 100 + "." + cudnnVersion % 100;
    }

    /** Returns the CUDA that cuDNN was built with, for example 12.6. */
    public String cudnnCudaText() {
        return DriverSearch.text((int) cudnnCuda);
    }

    private static Found require(Finding f) {
        return switch (f) {
            case Found found -> found;
            case Missing missing -> throw new UnsatisfiedLinkError(missing.what() + ": " + missing.text());
        };
    }

    private static void load(String what, Path file) {
        try {
            System.load(file.toAbsolutePath().toString());
        } catch (UnsatisfiedLinkError e) {
            throw failure(what + ": " + file + " is there and does not load: " + e.getMessage()
                    + "; expected a whole library of this system's kind and "
                    + "all that it needs; install what the line names, or run './tweedie doctor --fetch-cuda'", e);
        }
    }

    /** Checks what file names cannot tell: whether the parts have one version, and whether cuDNN was built for NVRTC's CUDA. */
    private static void fit(SymbolLookup symbols, Found cudnn, Found nvrtc, long cuda) {
        for (String part : List.of("Graph", "Ops", "Cnn")) {
            int status = status(symbols, "cudnn" + part + "VersionCheck");
            if (status != 0) {
                throw failure("cuDNN: expected parts of one version in " + cudnn.place().folder() + ", got status " + status
                        + (status == VERSION_MISMATCH ? " (version mismatch)" : "") + " from cudnn" + part
                        + "VersionCheck; install cuDNN again in one piece, or run './tweedie doctor --fetch-cuda'", null);
            }
        }
        if (cuda / 1000 != nvrtc.cuda()) {
            throw failure("cuDNN: " + cudnn.files().getLast() + " is built for CUDA " + DriverSearch.text((int) cuda)
                    + ", expected that of NVRTC, "
                    + nvrtc.cuda() + " in " + nvrtc.place().folder() + "; name the folders of one CUDA in " + SearchPath.VARIABLE,
                    null);
        }
    }

    private static UnsatisfiedLinkError failure(String text, Throwable cause) {
        UnsatisfiedLinkError e = new UnsatisfiedLinkError(text);
        if (cause != null) {
            e.initCause(cause);
        }
        return e;
    }

    /** Returns cuBLAS's version; cublasGetProperty returns major, minor and patch one by one. */
    private static String cublasVersion(SymbolLookup symbols, MemorySegment out) {
        MethodHandle get = function(symbols, "cublasGetProperty", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        int[] version = new int[3];
        for (int i = 0; i < version.length; i++) {
            int which = i;
            require("cublasGetProperty", (int) call(() -> (int) get.invokeExact(which, out)));
            version[i] = out.get(ValueLayout.JAVA_INT, 0);
        }
        return version[0] + "." + version[1] + "." + version[2];
    }

    private static String nvrtcVersion(SymbolLookup symbols, MemorySegment out) {
        MethodHandle get = function(symbols, "nvrtcVersion", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                ValueLayout.ADDRESS));
        MemorySegment minor = out.asSlice(4);
        require("nvrtcVersion", (int) call(() -> (int) get.invokeExact(out, minor)));
        return out.get(ValueLayout.JAVA_INT, 0) + "." + minor.get(ValueLayout.JAVA_INT, 0);
    }

    private static void require(String name, int status) {
        if (status != 0) {
            throw failure(name + " returned status " + status
                    + ", expected 0; install the library again, or run './tweedie doctor --fetch-cuda'", null);
        }
    }

    private static long number(SymbolLookup symbols, String name) {
        MethodHandle get = function(symbols, name, FunctionDescriptor.of(ValueLayout.JAVA_LONG));
        return call(() -> (long) get.invokeExact());
    }

    private static int status(SymbolLookup symbols, String name) {
        MethodHandle get = function(symbols, name, FunctionDescriptor.of(ValueLayout.JAVA_INT));
        return (int) call(() -> (int) get.invokeExact());
    }

    private static MethodHandle function(SymbolLookup symbols, String name, FunctionDescriptor type) {
        MemorySegment address = symbols.find(name)
                .orElseThrow(() -> failure(name + " is in none of the libraries loaded; expected it in cuBLAS 12, "
                + "cuDNN 9 or NVRTC; install the library again, or run './tweedie doctor --fetch-cuda'", null));
        return Linker.nativeLinker().downcallHandle(address, type);
    }

    private interface Call {
        long run() throws Throwable;
    }

    private static long call(Call c) {
        try {
            return c.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e); // C functions throw nothing
        }
    }
}
