// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToIntFunction;

/** Looks for NVIDIA's driver, libcuda.so.1, which only the machine's owner can install. */
final class DriverSearch {
    static final String NAME = "libcuda.so.1";
    /** CUDA 12.0, which came with driver 525. */
    static final int LEAST = 12_000;

    private DriverSearch() {}

    /**
     * Looks for the driver in a folder.
     *
     * @param ask returns the CUDA version of a driver, 1000 x major + 10 x minor; throws UnsatisfiedLinkError when it does not
     *         load
     */
    static Candidate in(Place place, ToIntFunction<Path> ask) {
        Path file = place.folder().resolve(NAME);
        if (!Files.exists(file)) {
            return new Candidate.None();
        }
        int cuda;
        try {
            cuda = ask.applyAsInt(file);
        } catch (UnsatisfiedLinkError e) {
            return new Candidate.Refused(file + ", which does not load: " + e.getMessage());
        }
        String version = Versions.of(file);
        String driver = version.isEmpty() ? "" : "driver " + version + " with ";
        if (cuda < LEAST) {
            return new Candidate.Refused(file + ", " + driver + "CUDA " + text(cuda));
        }
        return new Candidate.Usable(List.of(file), driver + "CUDA " + text(cuda), cuda / 1000);
    }

    static String text(int cuda) {
        return cuda / 1000 + "." + cuda % 1000 / 10;
    }

    /** Loads the driver, which needs no GPU, and returns its CUDA version. */
    static int cuDriverGetVersion(Path file) {
        System.load(file.toAbsolutePath().toString());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment function = SymbolLookup.libraryLookup(file, arena).find("cuDriverGetVersion")
                    .orElseThrow(() -> new UnsatisfiedLinkError("it has no function cuDriverGetVersion"));
            int status = (int) Linker.nativeLinker().downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS))
                    .invokeExact(version);
            if (status != 0) {
                throw new UnsatisfiedLinkError("cuDriverGetVersion returned status " + status);
            }
            return version.get(ValueLayout.JAVA_INT, 0);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
