// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A cudnnBackendDescriptor_t. Its attributes are set, then it is finished, and then other descriptors may refer to it. Its {@link
 * Scope} destroys it.
 */
public final class BackendDescriptor {
    final DescriptorKind kind;
    public final long address;
    private final Scope scope;

    BackendDescriptor(Scope scope, DescriptorKind kind, long address) {
        this.scope = scope;
        this.kind = kind;
        this.address = address;
    }

    /** Sets an attribute to whole numbers: integers, enumerations, booleans (0 or 1), addresses, characters. */
    public BackendDescriptor set(Attribute a, long... values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment s = arena.allocate((long) values.length * a.type.bytes, 8);
            for (int i = 0; i < values.length; i++) {
                switch (a.type.bytes) {
                    case 8 -> s.setAtIndex(ValueLayout.JAVA_LONG, i, values[i]);
                    case 4 -> s.setAtIndex(ValueLayout.JAVA_INT, i, Math.toIntExact(values[i]));
                    default -> s.set(ValueLayout.JAVA_BYTE, i, (byte) values[i]);
                }
            }
            return set(a, values.length, s);
        }
    }

    /** Sets an attribute to one float. */
    public BackendDescriptor setFloat(Attribute a, float value) {
        try (Arena arena = Arena.ofConfined()) {
            return set(a, 1, arena.allocateFrom(ValueLayout.JAVA_FLOAT, value));
        }
    }

    /** Sets an attribute to finished descriptors. */
    public BackendDescriptor set(Attribute a, BackendDescriptor... values) {
        long[] addresses = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            addresses[i] = values[i].address;
        }
        return set(a, addresses);
    }

    /** Sets an attribute to a text with its closing zero. */
    public BackendDescriptor set(Attribute a, String text) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment s = arena.allocateFrom(text);
            return set(a, s.byteSize(), s);
        }
    }

    private BackendDescriptor set(Attribute a, long count, MemorySegment values) {
        int status = scope.backend.set(address, a.code, a.type.code, count, values);
        if (status != 0) {
            throw scope.failure("cudnnBackendSetAttribute of " + a + " (" + count + " values)", status);
        }
        return this;
    }

    /**
     * Finishes the descriptor: the library checks its attributes, which cannot be changed afterwards.
     *
     * @throws CudnnException when the library refuses them
     */
    public BackendDescriptor finish() {
        int status = scope.backend.finish(address);
        if (status != 0) {
            throw scope.failure("cudnnBackendFinalize of " + kind, status);
        }
        scope.finished(this);
        return this;
    }

    /** Returns the whole numbers of an attribute, at most {@code room} of them. */
    public long[] get(Attribute a, int room) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment s = arena.allocate((long) room * a.type.bytes, 8);
            long[] values = new long[get(a, room, arena, s)];
            for (int i = 0; i < values.length; i++) {
                values[i] = a.type.bytes == 8 ? s.getAtIndex(ValueLayout.JAVA_LONG, i) : s.getAtIndex(ValueLayout.JAVA_INT, i);
            }
            return values;
        }
    }

    /**
     * Lets the library fill new descriptors with those of an attribute; they need not be finished.
     *
     * @return how many are filled
     */
    public int fill(Attribute a, BackendDescriptor... into) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment s = arena.allocate(ValueLayout.JAVA_LONG, into.length);
            for (int i = 0; i < into.length; i++) {
                s.setAtIndex(ValueLayout.JAVA_LONG, i, into[i].address);
            }
            return get(a, into.length, arena, s);
        }
    }

    /** Returns how many elements an attribute has. */
    public int count(Attribute a) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
            check(a, scope.backend.get(address, a.code, a.type.code, 0, count, MemorySegment.NULL));
            return Math.toIntExact(count.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    private int get(Attribute a, int room, Arena arena, MemorySegment values) {
        MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
        check(a, scope.backend.get(address, a.code, a.type.code, room, count, values));
        return Math.toIntExact(Math.min(room, count.get(ValueLayout.JAVA_LONG, 0)));
    }

    private void check(Attribute a, int status) {
        if (status != 0) {
            throw scope.failure("cudnnBackendGetAttribute of " + a, status);
        }
    }
}
