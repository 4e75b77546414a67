// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The folders in which NVIDIA's libraries are looked for, in order, each once. */
public record SearchPath(List<Place> places) {
    /** The variable in which users name folders for us, separated by colons. */
    public static final String VARIABLE = "TWEEDIE_CUDA_LIBRARIES";

    private static final List<Path> USUAL = List.of(Path.of("/usr/lib/x86_64-linux-gnu"), Path.of("/usr/lib64"),
            Path.of("/usr/lib/wsl/lib"));

    public SearchPath {
        places = List.copyOf(places);
    }

    /**
     * Returns the search path for an environment.
     *
     * @param home the user's folder, which contains the cache
     * @param system the folders of the loader's own search
     */
    static SearchPath of(Map<String, String> env, Path home, List<Path> system) {
        Map<Path, Place> places = new LinkedHashMap<>();
        folders(env.get(VARIABLE)).forEach(f -> add(places, f, Place.Origin.NAMED));
        folders(env.get("LD_LIBRARY_PATH")).forEach(f -> add(places, f, Place.Origin.LIBRARY_PATH));
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            folders(env.get(variable)).forEach(f -> add(places, f.resolve("lib64"), Place.Origin.CUDA_HOME));
        }
        system.forEach(f -> add(places, f, Place.Origin.SYSTEM));
        add(places, fetched(env, home), Place.Origin.CACHE);
        return new SearchPath(List.copyOf(places.values()));
    }

    /** Returns the search path of this process. */
    public static SearchPath ofThisMachine() {
        Set<Path> system = new LinkedHashSet<>(loaderFolders(loaderCache()));
        system.addAll(toolkits(Path.of("/usr/local")));
        system.addAll(USUAL);
        return of(System.getenv(), Path.of(System.getProperty("user.home")), List.copyOf(system));
    }

    /** Returns the folder into which {@code doctor --fetch-cuda} unpacks, for this process. */
    public static Path fetched() {
        return fetched(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    private static Path fetched(Map<String, String> env, Path home) {
        return cache(env, home).resolve("cuda-12.6");
    }

    /** Returns Tweedie's folder for files that can be made again. */
    static Path cache(Map<String, String> env, Path home) {
        String xdg = env.get("XDG_CACHE_HOME");
        return (xdg == null || xdg.isEmpty() ? home.resolve(".cache") : Path.of(xdg)).resolve("tweedie").toAbsolutePath();
    }

    private static void add(Map<Path, Place> places, Path folder, Place.Origin origin) {
        Path absolute = folder.toAbsolutePath().normalize();
        places.putIfAbsent(absolute, new Place(absolute, origin));
    }

    private static List<Path> folders(String value) {
        return value == null ? List.of() : java.util.Arrays.stream(value.split(":")).filter(s -> !s.isBlank()).map(Path::of)
                .toList();
    }

    /** Returns the folders of {@code ldconfig -p} that contain a library of NVIDIA's, in its order. */
    static List<Path> loaderFolders(String listing) {
        return listing.lines().map(String::strip).filter(l -> l.matches("lib(cuda|cublas|cudnn|nvrtc)\\.so.*=> /.*"))
                .filter(l -> !l.contains("(libc6)"))
                .map(l -> Path.of(l.substring(l.indexOf("=> ") + 3)).getParent()).distinct().toList();
    }

    /** Returns the output of ldconfig, or an empty text where it does not exist; the usual folders are searched nevertheless. */
    private static String loaderCache() {
        for (String program : List.of("/sbin/ldconfig", "/usr/sbin/ldconfig")) {
            if (Files.isExecutable(Path.of(program))) {
                try {
                    Process p = new ProcessBuilder(program, "-p").redirectError(ProcessBuilder.Redirect.DISCARD).start();
                    return new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                } catch (IOException e) {
                    return "";
                }
            }
        }
        return "";
    }

    /** Returns the lib64 of each CUDA below a folder, the newest first. */
    static List<Path> toolkits(Path folder) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, "cuda*")) {
            all.forEach(p -> found.add(p.resolve("lib64")));
        } catch (IOException e) {
            return List.of(); // there is no such folder, so it contains no toolkit
        }
        found.sort(Comparator.comparing((Path p) -> Versions.numbers(p.getParent().getFileName().toString()), Versions.ORDER)
                .reversed());
        return found;
    }
}
