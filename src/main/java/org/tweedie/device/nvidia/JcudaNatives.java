// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * The native libraries of JCuda. JCuda unpacks them into java.io.tmpdir under fixed names and uses any file that is already
 * there, even if it is incomplete or belongs to someone else. Therefore we unpack each of them completely into the user's own
 * folder first, and that folder is the temporary one while JCuda's classes initialise.
 */
public enum JcudaNatives {
    /** The CUDA runtime, which is contained in its file, so it needs nothing else. */
    RUNTIME("jcuda.runtime.JCuda", "JCudaRuntime", "nothing else"),
    /** JCublas, which needs libcublas.so.12 to be loaded before. */
    CUBLAS("jcuda.jcublas.JCublas2", "JCublas2", "libcublas.so.12"),
    /** The driver's calls, which need libcuda.so.1. */
    DRIVER("jcuda.driver.JCudaDriver", "JCudaDriver", "NVIDIA's driver (libcuda.so.1)");

    private static final String VERSION = "12.6.0";
    private static final String TEMPORARY = "java.io.tmpdir";

    private final String type;
    private final String library;
    private final String needs;

    JcudaNatives(String type, String library, String needs) {
        this.type = type;
        this.library = library;
        this.needs = needs;
    }

    /**
     * Checks that JCuda, which is an optional dependency, is on the class path.
     *
     * @throws UnsatisfiedLinkError in one line: what is not on the class path, and which artefacts to add
     */
    public static void require() {
        for (JcudaNatives each : values()) {
            for (String name : List.of("/" + each.type.replace('.', '/') + ".class", "/lib/" + each.file())) {
                if (JcudaNatives.class.getResource(name) == null) {
                    throw new UnsatisfiedLinkError("JCuda is not on the class path (" + name.substring(1) + " is missing);"
                            + " add org.jcuda:jcuda:" + VERSION + " and org.jcuda:jcublas:" + VERSION
                            + ", and with classifier linux-x86_64 org.jcuda:jcuda-natives:" + VERSION
                            + " and org.jcuda:jcublas-natives:" + VERSION);
                }
            }
        }
    }

    /**
     * Loads the library and initialises JCuda's class for it; it must be called before that class is used.
     *
     * @throws UnsatisfiedLinkError in one line: what is missing
     */
    public void load() {
        Path folder = SearchPath.cache(System.getenv(), Path.of(System.getProperty("user.home"))).resolve("jcuda-" + VERSION);
        synchronized (JcudaNatives.class) {
            String before = System.getProperty(TEMPORARY);
            try {
                unpack(folder);
                System.setProperty(TEMPORARY, folder.toString());
                Class.forName(type, true, JcudaNatives.class.getClassLoader());
            } catch (IOException e) {
                throw failure("could not be unpacked into " + folder + ": " + e.getMessage()
                        + "; make room there, or set XDG_CACHE_HOME", e);
            } catch (ClassNotFoundException e) {
                throw failure("its class " + type + " is not on the class path; expected org.jcuda's jars of version " + VERSION,
                        e);
            } catch (LinkageError e) {
                throw failure("does not load: " + cause(e) + "; it needs " + needs
                        + "; './tweedie doctor' lists the libraries that were found", e);
            } finally {
                System.setProperty(TEMPORARY, before);
            }
        }
    }

    private String file() {
        return "lib" + library + "-" + VERSION + "-linux-x86_64.so";
    }

    private void unpack(Path folder) throws IOException {
        URL source = JcudaNatives.class.getResource("/lib/" + file());
        if (source == null) {
            throw failure("is not on the class path; expected it in org.jcuda's natives of version " + VERSION
                    + " for linux-x86_64", null);
        }
        Files.createDirectories(folder);
        Path target = folder.resolve(file());
        var connection = source.openConnection();
        if (Files.exists(target) && Files.size(target) == connection.getContentLengthLong()) {
            return;
        }
        Path beside = Files.createTempFile(folder, library, ".part");
        try (InputStream in = connection.getInputStream()) {
            Files.copy(in, beside, StandardCopyOption.REPLACE_EXISTING);
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private UnsatisfiedLinkError failure(String text, Throwable cause) {
        UnsatisfiedLinkError e = new UnsatisfiedLinkError("JCuda: " + file() + " " + text);
        if (cause != null) {
            e.initCause(cause);
        }
        return e;
    }

    /** Returns the loader's error out of JCuda's message, which is a page of stack traces; it is the last error in the chain. */
    static String cause(LinkageError e) {
        String mark = UnsatisfiedLinkError.class.getName() + ": ";
        String text = e.getMessage() == null ? e.toString() : e.getMessage();
        return text.lines().filter(l -> l.startsWith(mark)).reduce((a, b) -> b).map(l -> l.substring(mark.length()))
                .orElseGet(() -> text.lines().findFirst().orElse(""));
    }
}
