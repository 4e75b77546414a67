// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** A small jar that takes the place of the one with NVIDIA's libraries. */
public final class FakeJar {
    private static final String FOLDER = "org/example/cuda/linux-x86_64/";
    /** This is more than one chunk of unpacking, so that there is something to interrupt. */
    private static final int BYTES = 3 << 20;

    private FakeJar() {}

    /** Writes a jar with two libraries that are wanted and one that is not. */
    public static Path write(Path jar) throws IOException {
        Files.createDirectories(jar.getParent());
        try (OutputStream out = Files.newOutputStream(jar); ZipOutputStream zip = new ZipOutputStream(out)) {
            for (String name : List.of("libone.so.1", "libother.so.2", "libtwo.so.2")) {
                zip.putNextEntry(new ZipEntry(FOLDER + name));
                zip.write(content(name));
                zip.closeEntry();
            }
        }
        return jar;
    }

    /** Returns the content of a library of the jar. */
    public static byte[] content(String name) {
        byte[] bytes = new byte[BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (name.charAt(i % name.length()) + i / 4096);
        }
        return bytes;
    }

    /** Returns the description of the wanted files of a jar. */
    public static Redistributable of(Path jar, String... files) throws IOException {
        try {
            String sha = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(jar)));
            return new Redistributable("org.example:cuda:1.2:jar:redist", sha, Files.size(jar), (long) BYTES * files.length,
                    FOLDER, List.of(files));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
