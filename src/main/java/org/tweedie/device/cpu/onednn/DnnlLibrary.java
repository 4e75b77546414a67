// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Properties;

/** Finds libgomp and libdnnl in the carrier jar on the class path, unpacks them once per user and loads them. */
final class DnnlLibrary {
    private static final String FOLDER = "/org/bytedeco/dnnl/linux-x86_64/";
    private static final String VERSION = "/META-INF/maven/org.bytedeco/dnnl/pom.properties";

    private DnnlLibrary() {}

    /**
     * Loads both, libgomp first since libdnnl needs it.
     *
     * @throws UnsatisfiedLinkError saying what is missing and what to do
     */
    static void load() {
        if (!System.getProperty("os.name").equals("Linux") || !System.getProperty("os.arch").equals("amd64")) {
            throw new UnsatisfiedLinkError("device 'cpu' needs Linux on x86-64, but this is " + System.getProperty("os.name")
                    + " on "
                    + System.getProperty("os.arch") + "; try --device reference");
        }
        try {
            Path folder = cache().resolve("dnnl-" + version());
            Files.createDirectories(folder);
            for (String name : new String[] {"libgomp.so.1", "libdnnl.so.3"}) {
                System.load(unpack(name, folder).toString());
            }
        } catch (IOException e) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError("device 'cpu': oneDNN could not be unpacked into " + cache()
                    + ": " + e);
            error.initCause(e);
            throw error;
        }
    }

    private static Path cache() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg == null || xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return base.resolve("tweedie").toAbsolutePath();
    }

    private static String version() throws IOException {
        try (InputStream in = resource(VERSION).openStream()) {
            Properties p = new Properties();
            p.load(in);
            return p.getProperty("version");
        }
    }

    private static URL resource(String name) {
        URL url = DnnlLibrary.class.getResource(name);
        if (url == null) {
            throw new UnsatisfiedLinkError("device 'cpu': " + name.substring(name.lastIndexOf('/') + 1)
                    + " is not on the class path; "
                    + "expected the jar org.bytedeco:dnnl with classifier linux-x86_64");
        }
        return url;
    }

    /** Writes the file under another name and renames it, so that two processes that start at once both find a whole file. */
    private static Path unpack(String name, Path folder) throws IOException {
        Path target = folder.resolve(name);
        URLConnection source = resource(FOLDER + name).openConnection();
        if (Files.exists(target) && Files.size(target) == source.getContentLengthLong()) {
            return target;
        }
        Path beside = Files.createTempFile(folder, name, ".part");
        try (InputStream in = source.getInputStream()) {
            Files.copy(in, beside, StandardCopyOption.REPLACE_EXISTING);
            move(beside, target);
        } finally {
            Files.deleteIfExists(beside);
        }
        return target;
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
