// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** Writes whole files: each is written beside its target and then renamed over it, so that no reader ever sees a partial file. */
public final class AtomicFile {
    private AtomicFile() {}

    /**
     * Checks, before hours of work, what would make writing fail later.
     *
     * @throws IllegalArgumentException when the folder is missing or not writable, or the path is a folder
     */
    public static void check(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(file)) {
            throw new IllegalArgumentException(file + ": expected a file to write, got a folder; add a file name");
        }
        if (!Files.exists(folder)) {
            throw new IllegalArgumentException(file + ": folder " + folder + " does not exist; create it or write elsewhere");
        }
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(file + ": " + folder + " is a file, not a folder; write elsewhere");
        }
        if (!Files.isWritable(folder)) {
            throw new IllegalArgumentException(file + ": folder " + folder
                    + " is not writable; change its permissions or write elsewhere");
        }
    }

    /**
     * Writes a file.
     *
     * @throws IllegalArgumentException as {@link #check} does
     * @throws IOException with one line naming the file, when writing fails; no partial file is left then
     */
    public static void write(Path file, byte[] bytes) throws IOException {
        check(file);
        Path part = file.toAbsolutePath().resolveSibling(".tweedie." + UUID.randomUUID() + ".part");
        try {
            Files.write(part, bytes);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            String reason = e instanceof AccessDeniedException ? "permission denied"
                    : e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
            throw new IOException(file + ": cannot write (" + reason + "); is the disk full or read-only?", e);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
