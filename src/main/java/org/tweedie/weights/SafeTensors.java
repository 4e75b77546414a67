// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.program.Tensor;

/**
 * One safetensors file. It is mapped into memory and not read: its tensors are views of the mapping and are valid until {@link
 * #close}. The whole header is checked before any view is returned.
 *
 * <p>The format does not require that a tensor's first byte is at a multiple of its element size, and real files have such
 * tensors. {@link Tensor} reads them correctly; code that passes the address to a library which needs alignment must copy. A file
 * must not be changed or truncated while it is open: touching a page that no longer exists is an error of the machine, not of
 * this class.
 */
public final class SafeTensors implements AutoCloseable {
    private final String file;
    private final Map<String, Tensor> tensors;
    private final Map<String, String> metadata;
    private final Arena arena;      // null when the bytes are the caller's

    private SafeTensors(String file, MemorySegment bytes, Arena arena) throws CheckpointException {
        SafeTensorsHeader header = SafeTensorsHeader.read(file, bytes);
        Map<String, Tensor> views = new LinkedHashMap<>();
        header.entries().forEach((name, e) -> views.put(name,
                new Tensor(e.dtype(), e.shape(), bytes.asSlice(header.dataStart() + e.begin(), e.end() - e.begin()))));
        this.file = file;
        this.tensors = Collections.unmodifiableMap(views);
        this.metadata = Collections.unmodifiableMap(header.metadata());
        this.arena = arena;
    }

    /**
     * Maps a file of any size. The caller closes the result.
     *
     * @throws CheckpointException naming the first fault of the file
     */
    public static SafeTensors open(Path path) throws IOException {
        return open(path, path.toString());
    }

    /**
     * Maps a file as {@link #open(Path)} does.
     *
     * @param file the name that messages give the file
     */
    static SafeTensors open(Path path, String file) throws IOException {
        if (Files.isDirectory(path)) {
            throw CheckpointException.of(file, "is a folder; expected a .safetensors file; name a file inside of it");
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new SafeTensors(file, channel.map(MapMode.READ_ONLY, 0, channel.size(), arena), arena);
        } catch (NoSuchFileException e) {
            arena.close();
            throw new CheckpointException(file + ": no such file; check the path", e);
        } catch (IOException | RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /**
     * Opens bytes that are already in memory and remain the caller's.
     *
     * @param name the name that messages give the bytes
     */
    public static SafeTensors of(String name, MemorySegment bytes) throws CheckpointException {
        return new SafeTensors(name, bytes.asReadOnly(), null);
    }

    /**
     * Writes tensors by falling element size, then by name, so that each is aligned and the same input gives the same bytes
     * whatever the order of the map is. The file appears complete or not at all: it is written beside its place and renamed.
     *
     * @throws CheckpointException when the folder is missing or cannot be written to, or a name cannot be stored
     */
    public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        SafeTensorsWriter.write(path, tensors, metadata);
    }

    /** Returns all tensors by name, in the order of the header. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /**
     * Returns one tensor.
     *
     * @throws IllegalArgumentException when the file has no such tensor
     */
    public Tensor tensor(String name) {
        Tensor t = tensors.get(name);
        if (t == null) {
            throw new IllegalArgumentException(file + ": has no tensor " + Quote.of(name) + " among its " + tensors.size()
                    + "; list them with 'tweedie inspect'");
        }
        return t;
    }

    /** Returns the texts stored under {@code __metadata__}; empty when there are none. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Unmaps the file; its tensors must not be used any more. Tensors made by {@link #of} stay valid. */
    @Override
    public void close() {
        if (arena != null && arena.scope().isAlive()) {
            arena.close();
        }
    }
}
