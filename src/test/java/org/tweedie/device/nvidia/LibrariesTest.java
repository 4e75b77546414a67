// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests every state that a machine can have, as folders of empty files, and the line that describes it. */
class LibrariesTest {
    private static final String FETCH = "; run './tweedie doctor --fetch-cuda', which needs NVIDIA's driver only, or name its "
            + "folder in TWEEDIE_CUDA_LIBRARIES";
    private static final String UPDATE = "; install or update NVIDIA's driver; 'nvidia-smi' shows its version";

    @TempDir
    private Path root;
    private Path named;
    private Path system;
    private Path cache;
    private ToIntFunction<Path> driver = f -> 12_040;
    private Predicate<Path> readable = f -> true;

    @BeforeEach
    void folders() throws IOException {
        named = Files.createDirectory(root.resolve("named"));
        system = Files.createDirectory(root.resolve("system"));
        cache = Files.createDirectories(root.resolve("tweedie/cuda-12.6"));
    }

    private Libraries find() {
        return find(Map.of("TWEEDIE_CUDA_LIBRARIES", named.toString(), "XDG_CACHE_HOME", root.toString()));
    }

    private Libraries find(Map<String, String> env) {
        return Libraries.find(SearchPath.of(env, root, List.of(system)), new Libraries.Machine(driver, readable));
    }

    private static void files(Path folder, String... names) throws IOException {
        for (String name : names) {
            Files.createFile(folder.resolve(name));
        }
    }

    private static void link(Path folder, String name, String version) throws IOException {
        files(folder, name + version);
        Files.createSymbolicLink(folder.resolve(name), Path.of(name + version));
    }

    /** Makes a folder as packages install it: names with the major version are links. */
    private static void cudnn(Path folder, String version) throws IOException {
        for (String part : CudnnSearch.PARTS) {
            link(folder, "libcudnn_" + part + ".so.9", version);
        }
        link(folder, "libcudnn.so.9", version);
    }

    private static void builtFor(Path folder, int cuda) throws IOException {
        Files.writeString(folder.resolve("libcudnn_engines_precompiled.so.9"), "x".repeat((1 << 20) - 9) + "libcublasLt.so."
                + cuda + "\0");
    }

    private static void all(Path folder) throws IOException {
        cudnn(folder, ".5.1");
        files(folder, "libcublasLt.so.12", "libcublas.so.12", "libnvrtc.so.12", "libnvrtc-builtins.so.12.6", "libcuda.so.1");
    }

    @Test
    void nothingAnywhere() {
        Libraries l = find();
        assertEquals(List.of(
                "NVIDIA driver: expected libcuda.so.1 of driver 525 or newer (CUDA 12.0), got nothing in the 3 folders searched"
                + UPDATE,
                "cuBLAS: expected libcublas.so.12 with libcublasLt.so.12 in one folder, got nothing in the 3 folders searched"
                + FETCH,
                "cuDNN: expected libcudnn.so.9 for CUDA 12 with all its parts in one folder, got nothing in the 3 folders "
                + "searched" + FETCH,
                "NVRTC: expected libnvrtc.so.12 with libnvrtc-builtins.so.12.x in one folder, got nothing in the 3 folders "
                + "searched" + FETCH), l.missing());
        UnsatisfiedLinkError e = assertThrows(UnsatisfiedLinkError.class, () -> Loaded.of(l));
        assertEquals(l.missing().get(1), e.getMessage());
    }

    @Test
    void allInOneFolderInTheOrderOfLoading() throws IOException {
        all(system);
        Libraries l = find();
        assertEquals(List.of(), l.missing());
        assertEquals("CUDA 12.4, " + system + "/libcuda.so.1 (the system's folders)", l.driver().text());
        assertEquals("9.5.1, " + system + "/libcudnn.so.9 and 6 beside it (the system's folders)", l.cudnn().text());
        assertEquals(List.of("libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9", "libcudnn_heuristic.so.9",
                "libcudnn_engines_precompiled.so.9",
                "libcudnn_engines_runtime_compiled.so.9", "libcudnn.so.9"), names(l.cudnn()));
        assertEquals(List.of("libcublasLt.so.12", "libcublas.so.12"), names(l.cublas()));
        assertEquals(List.of("libnvrtc-builtins.so.12.6", "libnvrtc.so.12"), names(l.nvrtc()));
    }

    private static List<String> names(Finding f) {
        return assertInstanceOf(Found.class, f).files().stream().map(p -> p.getFileName().toString()).toList();
    }

    @Test
    void partsThatSomeVersionsHaveAreTakenBeforeTheShim() throws IOException {
        all(system);
        files(system, "libcudnn_engines_tensor_ir.so.9", "libcudnn_adv.so.9");
        List<String> names = names(find().cudnn());
        assertEquals(List.of("libcudnn_engines_tensor_ir.so.9", "libcudnn_adv.so.9", "libcudnn.so.9"),
                names.subList(names.size() - 3, names.size()));
    }

    @Test
    void eachPlaceHasItsTurn() throws IOException {
        all(cache);
        assertEquals(Place.Origin.CACHE, assertInstanceOf(Found.class, find().cublas()).place().origin());
        all(system);
        assertEquals(Place.Origin.SYSTEM, assertInstanceOf(Found.class, find().cublas()).place().origin());
        all(named);
        assertEquals(Place.Origin.NAMED, assertInstanceOf(Found.class, find().cublas()).place().origin());
    }

    @Test
    void theDriverIsTooOld() throws IOException {
        files(system, "libcuda.so.470.82");
        Files.createSymbolicLink(system.resolve("libcuda.so.1"), Path.of("libcuda.so.470.82"));
        driver = f -> 11_080;
        assertEquals("expected libcuda.so.1 of driver 525 or newer (CUDA 12.0), got " + system
                + "/libcuda.so.1, driver 470.82 with CUDA 11.8" + UPDATE,
                find().driver().text());
    }

    @Test
    void theOldestDriverThatWillDo() throws IOException {
        files(system, "libcuda.so.525.60.13");
        Files.createSymbolicLink(system.resolve("libcuda.so.1"), Path.of("libcuda.so.525.60.13"));
        driver = f -> 12_000;
        assertEquals("driver 525.60.13 with CUDA 12.0, " + system + "/libcuda.so.1 (the system's folders)", find().driver()
                .text());
    }

    @Test
    void theDriverDoesNotLoad() throws IOException {
        files(system, "libcuda.so.1");
        driver = f -> {
            throw new UnsatisfiedLinkError("file too short");
        };
        assertEquals("expected libcuda.so.1 of driver 525 or newer (CUDA 12.0), got " + system
                + "/libcuda.so.1, which does not load: file too short" + UPDATE,
                find().driver().text());
    }

    @Test
    void theLoadersReasonIsKept() {
        String reason = assertThrows(UnsatisfiedLinkError.class,
                () -> DriverSearch.cuDriverGetVersion(system.resolve("libcuda.so.1"))).getMessage();
        assertTrue(reason.contains(system.resolve("libcuda.so.1").toString()), reason);
    }

    @Test
    void cublasOfAnotherMajorVersion() throws IOException {
        files(system, "libcublas.so.11", "libcublas.so.13", "libcublas.so", "libcublas.so.13.1.1");
        assertEquals("expected libcublas.so.12 with libcublasLt.so.12 in one folder, got libcublas.so.13 in " + system
                + ", but JCublas 12.6 needs libcublas.so.12" + FETCH, find().cublas().text());
    }

    @Test
    void cublasWithoutItsHalfIsPassedOver() throws IOException {
        files(system, "libcublas.so.12");
        files(cache, "libcublas.so.12", "libcublasLt.so.12");
        assertEquals(cache + "/libcublas.so.12 and 1 beside it (doctor --fetch-cuda); passed over: libcublas.so.12 in " + system
                + " without libcublasLt.so.12",
                find().cublas().text());
    }

    @Test
    void cublasOfTwoVersions() throws IOException {
        link(system, "libcublas.so.12", ".6.3.3");
        link(system, "libcublasLt.so.12", ".4.5.8");
        assertEquals("expected libcublas.so.12 with libcublasLt.so.12 in one folder, got mixed versions in " + system
                + ": libcublas.so.12 is 12.6.3.3, libcublasLt.so.12 is 12.4.5.8" + FETCH, find().cublas().text());
    }

    @Test
    void cudnnEightOnly() throws IOException {
        files(system, "libcudnn.so.8", "libcudnn.so");
        assertEquals("expected libcudnn.so.9 for CUDA 12 with all its parts in one folder, got libcudnn.so.8 in " + system
                + ", but the engine needs libcudnn.so.9" + FETCH, find().cudnn().text());
    }

    @Test
    void eachMissingPartOfCudnnIsNamed() throws IOException {
        cudnn(system, ".5.1");
        for (String part : CudnnSearch.PARTS) {
            Path file = system.resolve("libcudnn_" + part + ".so.9");
            Files.delete(file);
            assertEquals("expected libcudnn.so.9 for CUDA 12 with all its parts in one folder, got an incomplete cuDNN in "
                    + system + ", which lacks "
                    + file.getFileName() + FETCH, find().cudnn().text());
            Files.createSymbolicLink(file, Path.of(file.getFileName() + ".5.1"));
        }
        assertInstanceOf(Found.class, find().cudnn());
    }

    @Test
    void cudnnOfTwoVersionsIsRefusedAndTheSearchGoesOn() throws IOException {
        cudnn(system, ".5.1");
        Files.delete(system.resolve("libcudnn_ops.so.9"));
        link(system, "libcudnn_ops.so.9", ".4.0");
        String reason = "mixed versions in " + system + ": libcudnn_graph.so.9 is 9.5.1, libcudnn_ops.so.9 is 9.4.0";
        assertEquals("expected libcudnn.so.9 for CUDA 12 with all its parts in one folder, got " + reason + FETCH, find().cudnn()
                .text());
        cudnn(cache, ".6.0");
        assertEquals("9.6.0, " + cache + "/libcudnn.so.9 and 6 beside it (doctor --fetch-cuda); passed over: " + reason,
                find().cudnn().text());
    }

    @Test
    void cudnnForCudaElevenIsRefused() throws IOException {
        all(named);
        builtFor(named, 11);
        assertEquals("expected libcudnn.so.9 for CUDA 12 with all its parts in one folder, got a cuDNN for CUDA 11 in " + named
                + FETCH, find().cudnn().text());
    }

    @Test
    void cudnnForCudaThirteenIsRefusedUnlessNamed() throws IOException {
        all(system);
        builtFor(system, 13);
        assertEquals("expected libcudnn.so.9 for CUDA 12 with all its parts in one folder, got a cuDNN for CUDA 13 in " + system
                + ", which needs this folder and a libcublas.so.12 that forwards to cuBLAS 13, both named in "
                + "TWEEDIE_CUDA_LIBRARIES" + FETCH, find().cudnn().text());
    }

    @Test
    void cudnnForCudaThirteenIsTakenWithAForwarderAndItsOwnNvrtc() throws IOException {
        cudnn(named, ".24.0");
        builtFor(named, 13);
        files(named, "libcublas.so.12", "libnvrtc.so.12", "libnvrtc-builtins.so.12.6");
        Libraries l = find();
        assertEquals(List.of("libcublas.so.12"), names(l.cublas()));
        assertEquals(13, assertInstanceOf(Found.class, l.cudnn()).cuda());
        assertEquals("expected libnvrtc.so.13 with libnvrtc-builtins.so.13.x in one folder, got libnvrtc.so.12 in " + named
                + ", but cuDNN was built for CUDA 13; name the folder of CUDA 13's NVRTC in TWEEDIE_CUDA_LIBRARIES",
                l.nvrtc().text());
        files(named, "libnvrtc.so.13", "libnvrtc-builtins.so.13.0");
        assertEquals(List.of("libnvrtc-builtins.so.13.0", "libnvrtc.so.13"), names(find().nvrtc()));
    }

    @Test
    void cudasVersionIsFoundAcrossChunksAndNotInventedElsewhere() throws IOException {
        Path file = root.resolve("engines");
        for (int before : new int[] {0, 7, (1 << 20) - 17, (1 << 20) - 16, (1 << 20) - 1, 1 << 20, (2 << 20) - 3}) {
            Files.writeString(file, "\0".repeat(before) + "libcublasLt.so.12");
            assertEquals(12, CudnnSearch.cuda(file), "after " + before + " bytes");
        }
        Files.writeString(file, "libcublasLt.so.x libcublasLt.so");
        assertEquals(0, CudnnSearch.cuda(file));
    }

    @Test
    void nvrtcTakesTheBuiltinsOfItsOwnMinorVersion() throws IOException {
        link(system, "libnvrtc.so.12", ".4.127");
        files(system, "libnvrtc-builtins.so.12.6");
        assertEquals("expected libnvrtc.so.12 with libnvrtc-builtins.so.12.x in one folder, got libnvrtc.so.12 in " + system
                + " without its libnvrtc-builtins.so.12.4" + FETCH, find().nvrtc().text());
        files(system, "libnvrtc-builtins.so.12.4");
        assertEquals(List.of("libnvrtc-builtins.so.12.4", "libnvrtc.so.12"), names(find().nvrtc()));
    }

    @Test
    void aFolderThatMayNotBeReadIsTold() throws IOException {
        all(system);
        readable = f -> !f.equals(system);
        assertEquals("expected libcublas.so.12 with libcublasLt.so.12 in one folder, got folder " + system
                + " (the system's folders), which may not be read" + FETCH, find().cublas().text());
        readable = f -> true;
    }

    @Test
    void aNamedFolderThatIsNoneIsTold() throws IOException {
        Path none = root.resolve("none");
        Path file = Files.createFile(root.resolve("file"));
        String text = find(Map.of("TWEEDIE_CUDA_LIBRARIES", none + ":" + file, "LD_LIBRARY_PATH", "/nonexistent")).cublas()
                .text();
        assertTrue(text.contains("got no folder " + none + ", which TWEEDIE_CUDA_LIBRARIES names; a file " + file
                + ", which TWEEDIE_CUDA_LIBRARIES names as a folder; run"), text);
        assertFalse(text.contains("nonexistent"), "others' paths are full of folders that are not there");
    }

    @Test
    void everyReasonIsKept() throws IOException {
        files(named, "libcudnn.so.8");
        files(system, "libcudnn.so.9");
        List<String> got = new ArrayList<>(assertInstanceOf(Missing.class, find().cudnn()).got());
        assertEquals(2, got.size(), got.toString());
        assertEquals(1, find().cudnn().text().lines().count());
    }

    @Test
    void jcudasPageOfTracesBecomesTheLoadersLine() {
        String mark = "java.lang.UnsatisfiedLinkError: ";
        assertEquals("libcuda.so.1: cannot open shared object file",
                JcudaNatives.cause(new UnsatisfiedLinkError("Error while loading native library\n"
                + mark + "no JCudaDriver in java.library.path\n\tat java.base/x\n" + mark
                + "libcuda.so.1: cannot open shared object file\n\tat y\n---")));
        assertEquals("short", JcudaNatives.cause(new UnsatisfiedLinkError("short")));
    }
}
