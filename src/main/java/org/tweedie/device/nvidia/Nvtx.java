// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Named ranges of host time that NVIDIA's profilers (Nsight Systems and Compute) show beside the card's work. Without a profiler
 * they cost almost nothing.
 */
public final class Nvtx {
    /** The library's names: the first came with CUDA 13, the second with CUDA 12. */
    private static final List<String> NAMES = List.of("libnvtx3interop.so.1", "libnvToolsExt.so.1");

    private final MethodHandle push;
    private final MethodHandle pop;

    private Nvtx(SymbolLookup symbols) {
        Linker linker = Linker.nativeLinker();
        push = linker.downcallHandle(symbols.findOrThrow("nvtxRangePushA"), FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS));
        pop = linker.downcallHandle(symbols.findOrThrow("nvtxRangePop"), FunctionDescriptor.of(ValueLayout.JAVA_INT));
    }

    /**
     * Opens the library.
     *
     * @throws UnsatisfiedLinkError when none of the searched folders has it
     */
    public static Nvtx open() {
        return open(SearchPath.ofThisMachine());
    }

    static Nvtx open(SearchPath path) {
        for (Place p : path.places()) {
            for (String name : NAMES) {
                Path file = p.folder().resolve(name);
                if (Files.isReadable(file)) {
                    return new Nvtx(SymbolLookup.libraryLookup(file, Arena.global()));
                }
            }
        }
        throw new UnsatisfiedLinkError("NVTX: expected " + String.join(" or ", NAMES) + ", but neither was found in "
                + path.places().size() + " folders; run "
                + "'./tweedie doctor --fetch-cuda', name its folder in " + SearchPath.VARIABLE + ", or leave --nvtx out");
    }

    /** Opens a range in this thread. */
    public void push(String name) {
        try (Arena arena = Arena.ofConfined()) {
            int level = (int) push.invokeExact(arena.allocateFrom(name));
            assert level >= -1;
        } catch (Throwable e) {
            throw new AssertionError(e); // C functions throw nothing
        }
    }

    /** Closes the range that this thread opened last. */
    public void pop() {
        try {
            int level = (int) pop.invokeExact();
            assert level >= -2;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
