// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Looks for cuDNN 9 in a folder. libcudnn.so.9 opens its parts by name when they are first needed, so all of them must be there
 * and have one version.
 */
final class CudnnSearch {
    static final int MAJOR = 9;
    /** The parts, in the order in which they need each other. */
    static final List<String> PARTS = List.of("graph", "ops", "cnn", "heuristic", "engines_precompiled",
            "engines_runtime_compiled");
    /** Parts that some versions lack, or that we do not call. */
    private static final List<String> OPTIONAL = List.of("ext", "engines_tensor_ir", "adv");

    private static final Pattern LIGHT = Pattern.compile("libcublasLt\\.so\\.(\\d\\d)");
    private static final int CHUNK = 1 << 20;
    /**
     * The name is searched for up to this byte. It follows the host's code and precedes the kernels, at 30 and 59 MB in the
     * versions that we have seen.
     */
    private static final int FURTHEST = 256 * CHUNK;

    private CudnnSearch() {}

    static Candidate in(Place place) throws IOException {
        Path folder = place.folder();
        Path shim = folder.resolve("libcudnn.so." + MAJOR);
        if (!Files.exists(shim)) {
            List<String> others = Versions.majors(folder, "libcudnn");
            return others.isEmpty() ? new Candidate.None() : new Candidate.Refused(others.getFirst() + " in " + folder
                    + ", but the engine needs "
                    + shim.getFileName());
        }
        List<Path> files = new ArrayList<>();
        for (String part : PARTS) {
            Path file = part(folder, part);
            if (!Files.exists(file)) {
                return new Candidate.Refused("an incomplete cuDNN in " + folder + ", which lacks " + file.getFileName());
            }
            files.add(file);
        }
        OPTIONAL.stream().map(p -> part(folder, p)).filter(Files::exists).forEach(files::add);
        files.add(shim);
        return whole(place, files);
    }

    private static Candidate whole(Place place, List<Path> files) throws IOException {
        String version = "";
        Path first = null;
        for (Path file : files) {
            String v = Versions.of(file);
            if (!v.isEmpty() && first != null && !v.equals(version)) {
                return new Candidate.Refused("mixed versions in " + place.folder() + ": " + first.getFileName() + " is " + version
                        + ", "
                        + file.getFileName() + " is " + v);
            }
            if (!v.isEmpty()) {
                version = v;
                first = file;
            }
        }
        int cuda = cuda(part(place.folder(), "engines_precompiled"));
        if (cuda != 0 && cuda < Toolkit.CUBLAS) {
            return new Candidate.Refused("a cuDNN for CUDA " + cuda + " in " + place.folder());
        }
        if (cuda > Toolkit.CUBLAS && !place.named()) {
            return new Candidate.Refused("a cuDNN for CUDA " + cuda + " in " + place.folder()
                    + ", which needs this folder and a libcublas.so."
                    + Toolkit.CUBLAS + " that forwards to cuBLAS " + cuda + ", both named in " + SearchPath.VARIABLE);
        }
        return new Candidate.Usable(files, version, cuda);
    }

    private static Path part(Path folder, String name) {
        return folder.resolve("libcudnn_" + name + ".so." + MAJOR);
    }

    /**
     * Returns the CUDA major version that cuDNN was built for, which the name of the cuBLASLt that it opens tells; 0 when no such
     * name is found.
     */
    static int cuda(Path engines) throws IOException {
        try (InputStream in = Files.newInputStream(engines)) {
            String tail = "";
            byte[] chunk = new byte[CHUNK];
            for (int read = 0, n; read < FURTHEST && (n = in.readNBytes(chunk, 0, CHUNK)) > 0; read += n) {
                String text = tail + new String(chunk, 0, n, StandardCharsets.ISO_8859_1);
                Matcher m = LIGHT.matcher(text);
                if (m.find()) {
                    return Integer.parseInt(m.group(1));
                }
                tail = text.substring(Math.max(0, text.length() - 32)); // a name may extend over two chunks
            }
        }
        return 0;
    }
}
