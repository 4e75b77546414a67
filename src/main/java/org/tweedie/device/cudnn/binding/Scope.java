// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import org.tweedie.device.Closing;

/**
 * Owns descriptors. Closing it destroys each descriptor before those that it refers to. Only finished descriptors can be referred
 * to, so the unfinished ones are destroyed first, then the others, the last finished one first.
 */
public final class Scope implements AutoCloseable {
    public final Backend backend;
    public final String doing;
    private final Deque<BackendDescriptor> unfinished = new ArrayDeque<>();
    private final Deque<BackendDescriptor> finished = new ArrayDeque<>();

    /**
     * Makes an empty scope.
     *
     * @param doing what the descriptors are for, for example "preparing ...", for messages
     */
    public Scope(Backend backend, String doing) {
        this.backend = backend;
        this.doing = doing;
    }

    /** Makes a new descriptor without attributes. */
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

    /** Notes that other descriptors may refer to this one from now on. */
    void finished(BackendDescriptor d) {
        unfinished.remove(d);
        finished.push(d);
    }

    public CudnnException failure(String call, int status) {
        return new CudnnException(call, status, backend.describe(status), doing);
    }

    /**
     * Destroys all descriptors.
     *
     * @throws CudnnException when the library could not destroy one; the others are destroyed nevertheless
     */
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
