// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A jar on Maven Central that contains NVIDIA's libraries, and the files of it that we unpack.
 *
 * @param artifact the Maven coordinates, group:name:version:type:classifier
 * @param sha256 the SHA-256 of the jar, in hexadecimal
 * @param bytes the size of the jar
 * @param unpacked the bytes of the files that we unpack
 * @param folder the folder of the files in the jar, ending with a slash
 * @param files their names, in the jar and on disk
 */
public record Redistributable(String artifact, String sha256, long bytes, long unpacked, String folder, List<String> files) {
    /**
     * cuBLAS 12.6, cuDNN 9.5 without its part for recurrent networks, NVRTC 12.6, and NVTX for {@link Nvtx}, as bytedeco packs
     * them.
     */
    public static final Redistributable CUDA_12_6 =
            new Redistributable("org.bytedeco:cuda:12.6-9.5-1.5.11:jar:linux-x86_64-redist",
            "b9130f92e121c5ae39d93083b2db5305af3b53bab1ef232463e281593ebb74d0", 2_026_748_503L, 1_285_515_680L,
            "org/bytedeco/cuda/linux-x86_64/",
            List.of("libnvrtc-builtins.so.12.6", "libnvrtc.so.12", "libcublasLt.so.12", "libcublas.so.12", "libcudnn_graph.so.9",
            "libcudnn_ops.so.9",
                    "libcudnn_cnn.so.9", "libcudnn_heuristic.so.9", "libcudnn_engines_precompiled.so.9",
                    "libcudnn_engines_runtime_compiled.so.9",
                    "libcudnn.so.9", "libnvToolsExt.so.1"));

    private static final int CHUNK = 1 << 20;
    private static final long SPARE = 64L << 20;

    public Redistributable {
        files = List.copyOf(files);
    }

    /** Receives the progress of the work. */
    public interface Listener {
        /**
         * Reports progress.
         *
         * @param done the bytes done, first of the jar, then of jar and files together
         * @param doing the present work, for example {@code unpacking libcudnn.so.9}
         */
        void at(long done, String doing);
    }

    /** Returns the number to which {@link #unpack} counts. */
    public long work() {
        return bytes + unpacked;
    }

    /** Returns the jar's file name. */
    public String jarName() {
        String[] part = artifact.split(":");
        return part[1] + "-" + part[2] + "-" + part[4] + "." + part[3];
    }

    /** Returns the jar's path below a local Maven repository. */
    public Path jarPath() {
        String[] part = artifact.split(":");
        return Path.of(part[0].replace('.', '/'), part[1], part[2], jarName());
    }

    /** Tells whether all files are there: a folder gets its name only when it is complete. */
    public boolean isIn(Path target) {
        return files.stream().allMatch(f -> Files.isRegularFile(target.resolve(f)));
    }

    /**
     * Checks the jar and unpacks our files into a folder that appears when all of them are written. If it is stopped, no part is
     * left behind, except after a kill, whose remains the next call removes. An interrupt stops it.
     *
     * @throws IOException in one line: the jar is not the one expected, lacks a file, the disk has no room, or another process
     *         unpacks there
     */
    public void unpack(Path jar, Path target, Listener listener) throws IOException {
        Files.createDirectories(target.getParent());
        Path lockFile = target.resolveSibling(target.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel)) {
            if (lock == null) {
                throw new IOException(target + ": another process is unpacking there; wait for it to end");
            }
            if (isIn(target)) {
                return; // another process has written it since the caller looked
            }
            Path part = target.resolveSibling(target.getFileName() + ".part");
            delete(part);
            requireRoom(target.getParent(), unpacked, "unpack " + jarName());
            try {
                check(jar, listener);
                unpackAll(jar, Files.createDirectory(part), listener);
                delete(target);
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
                sync(target.getParent());
            } catch (ClosedByInterruptException e) {
                throw new IOException(jar + ": unpacking was interrupted; no files were left behind", e);
            } finally {
                Thread.interrupted(); // the interrupt has been handled, and it must not stop the deletion
                delete(part);
            }
        }
    }

    private static FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // this very process holds the lock
        }
    }

    /**
     * Checks the free space.
     *
     * @throws IOException when the file system of a folder has no room for so many bytes
     */
    public static void requireRoom(Path folder, long bytes, String why) throws IOException {
        Path there = folder.toAbsolutePath();
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        long free = Files.getFileStore(there).getUsableSpace();
        if (free < bytes + SPARE) {
            throw new IOException(folder + ": expected " + megabytes(bytes + SPARE) + " free to " + why + ", got "
                    + megabytes(free)
                    + "; make room, or name another disk with XDG_CACHE_HOME (for what is unpacked) or "
                    + "MAVEN_OPTS=-Dmaven.repo.local=DIR (for the jar)");
        }
    }

    private static String megabytes(long bytes) {
        return (bytes + 999_999) / 1_000_000 + " MB";
    }

    private void check(Path jar, Listener listener) throws IOException {
        long size = Files.size(jar);
        if (size != bytes) {
            throw new IOException(jar + ": expected " + jarName() + " of " + bytes + " bytes, got " + size
                    + "; delete it and fetch it again");
        }
        MessageDigest digest = digest();
        byte[] chunk = new byte[CHUNK];
        try (InputStream in = Channels.newInputStream(FileChannel.open(jar))) {
            long done = 0;
            for (int n; (n = in.read(chunk)) >= 0; done += n, listener.at(done, "checking the jar")) {
                digest.update(chunk, 0, n);
            }
        }
        String got = HexFormat.of().formatHex(digest.digest());
        if (!got.equals(sha256)) {
            throw new IOException(jar + ": expected SHA-256 " + sha256 + ", got " + got + "; delete it and fetch it again");
        }
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every Java has SHA-256
        }
    }

    private void unpackAll(Path jar, Path part, Listener listener) throws IOException {
        long done = bytes;
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (String file : files) {
                ZipEntry entry = zip.getEntry(folder + file);
                if (entry == null) {
                    throw new IOException(jar + ": expected " + folder + file + " in it, got a jar without; fetch " + artifact
                            + " again");
                }
                try (InputStream in = zip.getInputStream(entry)) {
                    done = write(in, part.resolve(file), done, listener);
                }
            }
        }
        sync(part);
    }

    private static long write(InputStream in, Path file, long before, Listener listener) throws IOException {
        long done = before;
        byte[] chunk = new byte[CHUNK];
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int n; (n = in.readNBytes(chunk, 0, CHUNK)) > 0;) {
                for (ByteBuffer b = ByteBuffer.wrap(chunk, 0, n); b.hasRemaining();) {
                    out.write(b);
                }
                done += n;
                listener.at(done, "unpacking " + file.getFileName());
            }
            out.force(true);
        }
        return done;
    }

    /** Writes the names in a folder to the disk. */
    private static void sync(Path folder) throws IOException {
        try (FileChannel c = FileChannel.open(folder)) {
            c.force(true);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (var all = Files.walk(folder)) {
            for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(p);
            }
        }
    }
}
