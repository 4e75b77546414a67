// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Writes to a file that was open when this process started, by its descriptor. Opening the same file again by its name would
 * give a second file position; if a shell redirects two streams to one file ({@code > f 2>&1}), one stream would overwrite
 * the other.
 */
public final class Descriptor extends OutputStream {
    /** A class of its own, so that only commands that write to standard error spend time on binding the C function. */
    private static final class C {
        static final MethodHandle WRITE = Linker.nativeLinker().downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("write"),
                FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    }

    private final int number;

    public Descriptor(int number) {
        this.number = number;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] from, int at, int n) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, n));
            MemorySegment.copy(from, at, bytes, ValueLayout.JAVA_BYTE, 0, n);
            for (long done = 0; done < n; ) {
                long written = (long) C.WRITE.invokeExact(number, bytes.asSlice(done), n - done);
                if (written < 0) {
                    throw new IOException("descriptor " + number + " cannot be written to");
                }
                done += written;
            }
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e); // C functions throw nothing
        }
    }
}
