// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A temporary file with nothing in it but holes. Mapped, it gives zeros at addresses of their own, without memory behind them.
 */
final class SparseZeros implements AutoCloseable {
    private final FileChannel file;
    private long length;

    SparseZeros() throws IOException {
        Path path = Files.createTempFile("tweedie", ".zeros");
        file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
    }

    /** Maps zeros that no earlier call has mapped; they are valid as long as the arena. */
    MemorySegment map(long bytes, Arena arena) {
        try {
            MemorySegment s = file.map(FileChannel.MapMode.READ_WRITE, length, bytes, arena);
            length += (bytes + 63) / 64 * 64;
            return s.asReadOnly();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
