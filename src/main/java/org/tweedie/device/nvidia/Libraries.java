// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * NVIDIA's libraries on this machine: each is {@link Found} in the first place that has a usable copy, or {@link Missing} with
 * the reason. The search loads only the driver; {@link Loaded#of} loads the others.
 *
 * @param driver libcuda.so.1, for CUDA 12.0 or newer
 * @param cublas cuBLAS 12 with cuBLASLt
 * @param cudnn cuDNN 9 with all of its parts
 * @param nvrtc the compiler that cuDNN calls, of the CUDA that cuDNN was built for
 */
public record Libraries(Finding driver, Finding cublas, Finding cudnn, Finding nvrtc) {
    private static final String FETCH =
            "run './tweedie doctor --fetch-cuda', which needs NVIDIA's driver only, or name its folder in " + SearchPath.VARIABLE;

    /** Searches this machine. */
    public static Libraries find() {
        return find(SearchPath.ofThisMachine(), new Machine(DriverSearch::cuDriverGetVersion, Files::isReadable));
    }

    /**
     * The properties of the machine that a search needs besides the folders. Tests replace them to have no driver, or folders
     * that cannot be read.
     */
    record Machine(ToIntFunction<Path> driverVersion, Predicate<Path> readable) {}

    static Libraries find(SearchPath path, Machine machine) {
        Search search = new Search(path.places(), machine.readable());
        Finding driver = search.run("NVIDIA driver", "libcuda.so.1 of driver 525 or newer (CUDA 12.0)",
                "install or update NVIDIA's driver; 'nvidia-smi' shows its version",
                p -> DriverSearch.in(p, machine.driverVersion()));
        Finding cublas = search.run("cuBLAS", "libcublas.so.12 with libcublasLt.so.12 in one folder", FETCH, Toolkit::cublas);
        Finding cudnn = search.run("cuDNN", "libcudnn.so.9 for CUDA 12 with all its parts in one folder", FETCH, CudnnSearch::in);
        int cuda = cudnn instanceof Found f && f.cuda() != 0 ? f.cuda() : Toolkit.CUBLAS;
        Finding nvrtc = search.run("NVRTC", "libnvrtc.so." + cuda + " with libnvrtc-builtins.so." + cuda + ".x in one folder",
                cuda == Toolkit.CUBLAS ? FETCH : "name the folder of CUDA " + cuda + "'s NVRTC in " + SearchPath.VARIABLE,
                p -> Toolkit.nvrtc(p, cuda));
        return new Libraries(driver, cublas, cudnn, nvrtc);
    }

    /** Returns all four results, the driver first. */
    public List<Finding> all() {
        return List.of(driver, cublas, cudnn, nvrtc);
    }

    /** Returns one line for each missing library; empty when the GPU can be used. */
    public List<String> missing() {
        return all().stream().flatMap(f -> f instanceof Missing m ? Stream.of(m.what() + ": " + m.text()) : Stream.empty())
                .toList();
    }

    private interface Look {
        Candidate in(Place place) throws IOException;
    }

    private record Search(List<Place> places, Predicate<Path> readable) {
        Finding run(String what, String expected, String remedy, Look look) {
            List<String> refused = new ArrayList<>();
            for (Place place : places) {
                switch (offer(place, look)) {
                    case Candidate.None n -> { }
                    case Candidate.Refused r -> refused.add(r.why());
                    case Candidate.Usable u -> {
                        return new Found(what, place, u.files(), u.version(), u.cuda(), refused);
                    }
                }
            }
            return new Missing(what, expected, refused, places.size(), remedy);
        }

        /** Looks into one place. A folder that does not exist is reported only if the user named it for us. */
        private Candidate offer(Place place, Look look) {
            Path folder = place.folder();
            if (!Files.exists(folder)) {
                return place.named() ? new Candidate.Refused("no folder " + folder + ", which " + place.origin() + " names")
                        : new Candidate.None();
            }
            if (!Files.isDirectory(folder)) {
                return place.named() ? new Candidate.Refused("a file " + folder + ", which " + place.origin()
                        + " names as a folder") : new Candidate.None();
            }
            if (!readable.test(folder)) {
                return new Candidate.Refused("folder " + folder + " (" + place.origin() + "), which may not be read");
            }
            try {
                return look.in(place);
            } catch (IOException e) {
                return new Candidate.Refused("folder " + folder + " (" + place.origin() + "), which could not be read: "
                        + e.getMessage());
            }
        }
    }
}
