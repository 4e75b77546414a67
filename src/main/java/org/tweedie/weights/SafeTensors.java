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
 * One safetensors file, mapped into memory, not read: its tensors are views of the mapping and are valid until {@link #close}.
 * The whole header is checked before any view is given out.
 *
 * <p>The format does not ask that a tensor's first byte be a multiple of its element size, and real files have such tensors.
 * {@link Tensor} reads them right; code that hands the address to a library which wants alignment must copy.
 * A file must not be changed or cut while it is open: touching a page that is gone is an error of the machine, not of this class.
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

    /** Maps a file of any size. Who opens, closes. @throws CheckpointException naming the first fault of the file */
    public static SafeTensors open(Path path) throws IOException {
        return open(path, path.toString());
    }

    /** As {@link #open(Path)}, with the name that messages give the file. */
    static SafeTensors open(Path path, String file) throws IOException {
        if (Files.isDirectory(path)) {
            throw CheckpointException.of(file, "is a folder, expected a .safetensors file; name a file inside of it");
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

    /** The same over bytes already in memory, which stay the caller's; {@code name} is what messages call them. */
    public static SafeTensors of(String name, MemorySegment bytes) throws CheckpointException {
        return new SafeTensors(name, bytes.asReadOnly(), null);
    }

    /**
     * Writes tensors by falling element size, then by name, so that each is aligned and the same input gives the same bytes
     * whatever the order of the map. The file appears whole or not at all: it is written beside its place and renamed.
     *
     * @throws CheckpointException when the folder is missing or cannot be written to, or a name cannot be stored
     */
    public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        SafeTensorsWriter.write(path, tensors, metadata);
    }

    /** All tensors by name, in the order of the header. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** @throws IllegalArgumentException when the file has no such tensor */
    public Tensor tensor(String name) {
        Tensor t = tensors.get(name);
        if (t == null) {
            throw new IllegalArgumentException(file + ": has no tensor " + Quote.of(name) + " among its " + tensors.size()
                    + "; list them with 'tweedie inspect'");
        }
        return t;
    }

    /** The texts stored under {@code __metadata__}; empty when there are none. */
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
