// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of cells: a line with the {@link Setting}, then a line for each cell, in the order in which they were made. Each line
 * is on the disk before the next cell is made, so an evaluation that was killed loses only the cells under way.
 *
 * <p>A line that has no end was cut by a kill; it is taken away when the file is opened. Any other line that is not a cell is
 * an error. The file is locked while it is open.
 */
public final class CellFile implements AutoCloseable {
    /**
     * The contents of a file that was read.
     *
     * @param setting null when the file has no complete line
     * @param cells the cells in the order of the file
     * @param length the number of bytes of the complete lines
     */
    public record Contents(Setting setting, List<Cell> cells, long length) {}

    private final Path file;
    private final FileChannel channel;
    private final Map<Cell.Key, Cell> cells = new LinkedHashMap<>();

    private CellFile(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Opens a file to continue it, or makes it. Its folder must exist.
     *
     * @throws IllegalArgumentException when another process has the file open, when it was made with another setting, or when
     *         a line of it is not a cell; the file is unchanged then
     */
    public static CellFile open(Path file, Setting setting) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        try {
            CellFile opened = new CellFile(file, channel);
            opened.lock();
            opened.start(setting);
            return opened;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void lock() throws IOException {
        boolean free;
        try {
            free = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            free = false;
        }
        if (!free) {
            throw new IllegalArgumentException(file + ": another evaluation writes to this file; wait for it, or name another "
                    + "file with --cells");
        }
    }

    private void start(Setting setting) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(channel.size()));
        int read; // by this channel, since the lock is lost when another channel of this process for the file is closed
        do {
            read = channel.read(bytes);
        } while (read > 0 && bytes.hasRemaining());
        Contents old = parse(file, bytes.array());
        require(file, old, setting);
        old.cells.forEach(c -> cells.put(c.key(), c));
        channel.truncate(old.length);
        channel.position(old.length);
        if (old.setting == null) {
            write(setting.line());
        }
    }

    /** @throws IllegalArgumentException when the contents of a file were made with another setting */
    public static void require(Path file, Contents contents, Setting setting) {
        if (contents.setting != null) {
            contents.setting.difference(setting).ifPresent(d -> {
                throw new IllegalArgumentException(file + ": " + d + "; name another file with --cells, or repeat the options");
            });
        }
    }

    /** Reads a file, which may be open elsewhere, and changes nothing. @throws IllegalArgumentException as {@link #open} */
    public static Contents read(Path file) throws IOException {
        return parse(file, Files.readAllBytes(file));
    }

    private static Contents parse(Path file, byte[] bytes) {
        int length = bytes.length;
        while (length > 0 && bytes[length - 1] != '\n') {
            length--;
        }
        if (length == 0) {
            requireStart(file, new String(bytes, StandardCharsets.UTF_8));
            return new Contents(null, List.of(), 0);
        }
        List<String> lines = List.of(new String(bytes, 0, length, StandardCharsets.UTF_8).split("\n", -1));
        Map<Cell.Key, Cell> cells = new LinkedHashMap<>();
        Setting setting = at(file, 1, () -> Setting.of(lines.getFirst()));
        for (int i = 1; i < lines.size() - 1; i++) { // nothing follows the last line's end
            String line = lines.get(i);
            Cell cell = at(file, i + 1, () -> Cell.of(line));
            if (cells.put(cell.key(), cell) != null) {
                throw new IllegalArgumentException(file + ", line " + (i + 1) + ": the cell " + cell.key().text()
                        + " is in the file already; remove one of the two lines");
            }
        }
        return new Contents(setting, List.copyOf(cells.values()), length);
    }

    /** A text without a line's end may be the beginning of a setting; anything else is a file that eval did not write. */
    private static void requireStart(Path file, String text) {
        if (!text.startsWith(Setting.START) && !Setting.START.startsWith(text)) {
            throw new IllegalArgumentException(file + ", line 1: expected a file of cells, which begins with " + Setting.START
                    + ", got something else; name another file with --cells");
        }
    }

    private interface Reading<T> {
        T get();
    }

    private static <T> T at(Path file, int line, Reading<T> reading) {
        try {
            return reading.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ", line " + line + ": " + e.getMessage() + "; remove the line, or name "
                    + "another file with --cells", e);
        }
    }

    /** The cells of the file, in its order. */
    public synchronized List<Cell> cells() {
        return List.copyOf(cells.values());
    }

    /** Appends a cell; it is on the disk when this returns. @throws IllegalStateException when the file has such a cell */
    public synchronized void append(Cell cell) throws IOException {
        if (cells.containsKey(cell.key())) {
            throw new IllegalStateException(file + ": the cell " + cell.key().text() + " is in the file already");
        }
        write(cell.line());
        cells.put(cell.key(), cell);
    }

    private void write(String line) throws IOException {
        long before = channel.position();
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(false);
        } catch (IOException e) {
            channel.truncate(before); // otherwise a cell of another worker would follow half a line
            throw new IOException(file + ": cannot write (" + e.getMessage() + "); is the disk full?", e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
