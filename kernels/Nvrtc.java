// SPDX-License-Identifier: Apache-2.0
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** NVIDIA's run-time compiler, CUDA C++ to PTX: needs neither a GPU nor a toolkit. */
final class Nvrtc {
    static final String ARTEFACT = "org.bytedeco:cuda:12.6-9.5-1.5.11:jar:linux-x86_64-redist";
    private static final String IN_REPOSITORY = "repository/org/bytedeco/cuda/12.6-9.5-1.5.11/cuda-12.6-9.5-1.5.11-linux-x86_64-redist.jar";
    private static final List<String> LIBRARIES = List.of("libnvrtc-builtins.so.12.6", "libnvrtc.so.12");

    private final SymbolLookup symbols;

    /** Of this libnvrtc; the builtins library must lie beside it. */
    Nvrtc(Path library) throws IOException {
        try (var beside = Files.list(library.toAbsolutePath().getParent())) { // it looks for its builtins by name: a loaded one is found
            beside.filter(p -> p.getFileName().toString().startsWith("libnvrtc-builtins.so")).sorted().findFirst().ifPresent(p -> SymbolLookup.libraryLookup(p, Arena.global()));
        }
        symbols = SymbolLookup.libraryLookup(library, Arena.global());
    }

    /** The library in the cache, unpacked from the Maven artefact the first time. */
    static Path find() throws IOException {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path home = Path.of(System.getProperty("user.home"));
        Path folder = (cache == null || cache.isEmpty() ? home.resolve(".cache") : Path.of(cache)).resolve("tweedie/nvrtc-12.6");
        Path library = folder.resolve(LIBRARIES.getLast());
        if (Files.exists(library)) {
            return library;
        }
        Path jar = home.resolve(".m2").resolve(IN_REPOSITORY);
        if (!Files.exists(jar)) {
            throw new IOException("NVRTC 12.6: not found in " + folder + " nor in " + jar + "; run 'mvn dependency:get -Dtransitive=false -Dartifact=" + ARTEFACT
                    + "' (2 GB), or name a libnvrtc.so.12 with --nvrtc");
        }
        Files.createDirectories(folder);
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (String name : LIBRARIES) {
                ZipEntry entry = zip.getEntry("org/bytedeco/cuda/linux-x86_64/" + name);
                Path part = Files.createTempFile(folder, name, ".part");
                try (InputStream in = zip.getInputStream(entry)) {
                    Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
                }
                Files.move(part, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            }
        }
        return library;
    }

    /** Its version, major and minor. */
    String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment v = arena.allocate(JAVA_INT, 2);
            call("nvrtcVersion", v, v.asSlice(4));
            return v.getAtIndex(JAVA_INT, 0) + "." + v.getAtIndex(JAVA_INT, 1);
        }
    }

    /** PTX of a source; headers by the name they are included by. Throws with the compiler's log. */
    String compile(String name, String source, Map<String, String> headers, List<String> options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            List<String> names = List.copyOf(headers.keySet());
            call("nvrtcCreateProgram", out, arena.allocateFrom(source), arena.allocateFrom(name), names.size(),
                    strings(arena, names.stream().map(headers::get).toList()), strings(arena, names));
            MemorySegment program = out.get(ADDRESS, 0);
            try {
                int status = status("nvrtcCompileProgram", program, options.size(), strings(arena, options));
                String log = text(arena, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
                if (status != 0) {
                    throw new IllegalStateException(name + ": NVRTC refuses it (status " + status + "):\n" + log);
                }
                if (!log.isBlank()) {
                    System.err.print(log);
                }
                return text(arena, program, "nvrtcGetPTXSize", "nvrtcGetPTX");
            } finally {
                call("nvrtcDestroyProgram", out);
            }
        }
    }

    private String text(Arena arena, MemorySegment program, String size, String get) {
        MemorySegment n = arena.allocate(JAVA_LONG);
        call(size, program, n);
        MemorySegment bytes = arena.allocate(n.get(JAVA_LONG, 0));
        call(get, program, bytes);
        return bytes.getString(0);
    }

    private static MemorySegment strings(Arena arena, List<String> list) {
        MemorySegment out = arena.allocate(ADDRESS, Math.max(1, list.size()));
        for (int i = 0; i < list.size(); i++) {
            out.setAtIndex(ADDRESS, i, arena.allocateFrom(list.get(i)));
        }
        return out;
    }

    private void call(String name, Object... args) {
        int status = status(name, args);
        if (status != 0) {
            throw new IllegalStateException("NVRTC: " + name + " gives status " + status);
        }
    }

    private int status(String name, Object... args) {
        MemoryLayout[] layouts = new MemoryLayout[args.length];
        for (int i = 0; i < args.length; i++) {
            layouts[i] = args[i] instanceof Integer ? JAVA_INT : ADDRESS;
        }
        MethodHandle handle = Linker.nativeLinker().downcallHandle(
                symbols.find(name).orElseThrow(() -> new IllegalStateException("NVRTC: the library has no " + name)), FunctionDescriptor.of(JAVA_INT, layouts));
        try {
            return (int) handle.invokeWithArguments(args);
        } catch (Throwable e) {
            throw new IllegalStateException("NVRTC: " + name + ": " + e.getMessage(), e);
        }
    }
}
