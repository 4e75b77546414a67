// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * Finds the classes in a seam's package that implement the seam. The package is listed in the folder or jar that the seam was
 * loaded from, so a new implementation needs one new file and no registration.
 */
public final class Implementations {
    private Implementations() {}

    /** The implementations, sorted by class name. @throws UncheckedIOException when the folder or jar cannot be read */
    public static <S> List<Class<? extends S>> of(Class<S> seam) {
        try {
            Path code = Path.of(seam.getProtectionDomain().getCodeSource().getLocation().toURI());
            String folder = seam.getPackageName().replace('.', '/');
            try (Stream<String> files = Files.isDirectory(code) ? folder(code.resolve(folder)) : jar(code, folder)) {
                return files.filter(f -> f.endsWith(".class")).map(f -> f.substring(0, f.length() - ".class".length())).sorted()
                        .<Class<?>>map(f -> load(seam, f)).filter(c -> seam.isAssignableFrom(c) && !c.isInterface()
                                && !c.isAnonymousClass())
                        .<Class<? extends S>>map(c -> c.asSubclass(seam)).toList();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Stream<String> folder(Path folder) throws IOException {
        return Files.list(folder).map(f -> f.getFileName().toString());
    }

    private static Stream<String> jar(Path jar, String folder) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            String prefix = folder + "/";
            return file.stream().map(e -> e.getName()).filter(n -> n.startsWith(prefix) && n.indexOf('/', prefix.length()) < 0)
                    .map(n -> n.substring(prefix.length())).toList().stream();
        }
    }

    private static Class<?> load(Class<?> seam, String file) {
        try {
            return Class.forName(seam.getPackageName() + "." + file, false, seam.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
