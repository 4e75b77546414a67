// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.plan;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * The constants that a device holds: each is uploaded once per type and layout, shared by all executables, and freed when its
 * last user has let go.
 */
public final class Constants {
    /** The device's memory. */
    public interface Heap {
        /** Packs a constant into new memory of the device and returns its address, a multiple of 256. */
        long upload(Constant c);

        void free(long address, long bytes);
    }

    /**
     * Two constants are equal if they read equal memory as equal types, whichever tensor object names it; a filter's layout needs
     * its shape too.
     */
    private record Key(MemorySegment data, DType from, DType to, Shape filter) {
        static Key of(Constant c) {
            return new Key(c.data().data(), c.data().dtype(), c.dtype(), c.layout() == Constant.Layout.FILTER ? c.data().shape()
                    : null);
        }
    }

    private static final class Entry {
        final long address;
        final long bytes;
        int users;

        Entry(long address, long bytes) {
            this.address = address;
            this.bytes = bytes;
        }
    }

    private final Heap heap;
    private final Map<Key, Entry> entries = new HashMap<>();

    public Constants(Heap heap) {
        this.heap = heap;
    }

    /** The address of a constant, which is uploaded unless it is there. {@link #release} gives it back. */
    public synchronized long hold(Constant c) {
        Entry e = entries.computeIfAbsent(Key.of(c), k -> new Entry(heap.upload(c), c.bytes()));
        e.users++;
        return e.address;
    }

    public synchronized void release(Constant c) {
        Key key = Key.of(c);
        Entry e = entries.get(key);
        if (--e.users == 0) {
            entries.remove(key);
            heap.free(e.address, e.bytes);
        }
    }
}
