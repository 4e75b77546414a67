// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import org.tweedie.device.Closing;

/**
 * Owns descriptors: closing destroys each before those it refers to. Only finished ones can be referred to, so first go the unfinished, then the others,
 * the last finished first.
 */
public final class Scope implements AutoCloseable {
    public final Backend backend;
    public final String doing;
    private final Deque<BackendDescriptor> unfinished = new ArrayDeque<>();
    private final Deque<BackendDescriptor> finished = new ArrayDeque<>();

    /** @param doing what the descriptors are for, as in "preparing ...", for messages */
    public Scope(Backend backend, String doing) {
        this.backend = backend;
        this.doing = doing;
    }

    /** A new descriptor without attributes. */
    public BackendDescriptor create(DescriptorKind kind) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment at = arena.allocate(ValueLayout.JAVA_LONG);
            int status = backend.create(kind.code, at);
            if (status != 0) {
                throw failure("cudnnBackendCreateDescriptor of " + kind, status);
            }
            BackendDescriptor d = new BackendDescriptor(this, kind, at.get(ValueLayout.JAVA_LONG, 0));
            unfinished.push(d);
            return d;
        }
    }

    /** Notes that a descriptor can be referred to from now on. */
    void finished(BackendDescriptor d) {
        unfinished.remove(d);
        finished.push(d);
    }

    public CudnnException failure(String call, int status) {
        return new CudnnException(call, status, backend.describe(status), doing);
    }

    /** @throws CudnnException when the library could not destroy one; the others are destroyed all the same */
    @Override
    public void close() {
        try (Closing closing = new Closing()) {
            finished.reversed().forEach(d -> closing.add(() -> destroy(d)));
            unfinished.reversed().forEach(d -> closing.add(() -> destroy(d)));
            finished.clear();
            unfinished.clear();
        }
    }

    private void destroy(BackendDescriptor d) {
        int status = backend.destroy(d.address);
        if (status != 0) {
            throw failure("cudnnBackendDestroyDescriptor of " + d.kind, status);
        }
    }
}
