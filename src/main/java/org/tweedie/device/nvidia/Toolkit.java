// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Looks for cuBLAS and NVRTC in a folder. */
final class Toolkit {
    /** JCublas 12.6 is linked against the versioned symbols of this major version and no other. */
    static final int CUBLAS = 12;

    private Toolkit() {}

    /**
     * Looks for cuBLAS with cuBLASLt beside it. A folder that the user named may contain only a forwarder, which loads its own
     * cuBLASLt.
     */
    static Candidate cublas(Place place) throws IOException {
        Path folder = place.folder();
        Path blas = folder.resolve("libcublas.so." + CUBLAS);
        Path light = folder.resolve("libcublasLt.so." + CUBLAS);
        if (!Files.exists(blas)) {
            List<String> others = Versions.majors(folder, "libcublas");
            return others.isEmpty() ? new Candidate.None()
                    : new Candidate.Refused(others.getFirst() + " in " + folder + ", but JCublas 12.6 needs "
                    + blas.getFileName());
        }
        String version = Versions.of(blas);
        if (!Files.exists(light)) {
            return place.named() ? new Candidate.Usable(List.of(blas), version, CUBLAS)
                    : new Candidate.Refused(blas.getFileName() + " in " + folder + " without " + light.getFileName());
        }
        String other = Versions.of(light);
        if (!version.isEmpty() && !other.isEmpty() && !version.equals(other)) {
            return new Candidate.Refused("mixed versions in " + folder + ": " + blas.getFileName() + " is " + version + ", "
                    + light.getFileName() + " is " + other);
        }
        return new Candidate.Usable(List.of(light, blas), version, CUBLAS);
    }

    /** Looks for NVRTC of one major version with its builtins, which it opens by a name that contains the minor version too. */
    static Candidate nvrtc(Place place, int cuda) throws IOException {
        Path folder = place.folder();
        Path nvrtc = folder.resolve("libnvrtc.so." + cuda);
        if (!Files.exists(nvrtc)) {
            List<String> others = Versions.majors(folder, "libnvrtc");
            return others.isEmpty() ? new Candidate.None()
                    : new Candidate.Refused(others.getFirst() + " in " + folder + ", but cuDNN was built for CUDA " + cuda);
        }
        List<Integer> version = Versions.numbers(Versions.of(nvrtc));
        List<Path> builtins = builtins(folder, version.size() > 1 ? version.get(0) + "\\." + version.get(1) : cuda + "\\.\\d+");
        if (builtins.isEmpty()) {
            return new Candidate.Refused(nvrtc.getFileName() + " in " + folder + " without its libnvrtc-builtins.so."
                    + (version.size() > 1 ? version.get(0) + "." + version.get(1) : cuda + ".x"));
        }
        String name = builtins.getFirst().getFileName().toString();
        return new Candidate.Usable(List.of(builtins.getFirst(), nvrtc), name.substring(name.indexOf(".so.") + 4), cuda);
    }

    private static List<Path> builtins(Path folder, String version) throws IOException {
        List<Path> found = new ArrayList<>();
        try (var all = Files.list(folder)) {
            all.filter(p -> p.getFileName().toString().matches("libnvrtc-builtins\\.so\\." + version)).forEach(found::add);
        }
        found.sort(Comparator.comparing((Path p) -> Versions.numbers(p.getFileName().toString()), Versions.ORDER).reversed());
        return found;
    }
}
