// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.cpu.loops.Floats;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Tensor;

/**
 * The constants in native F32 memory, row-major or in the layout that a primitive chose. All executables of a device share them:
 * a constant is converted once per layout and freed when its last user has released it.
 */
final class PackedWeights {
    /** The key of a constant: the same memory read as the same type is the same constant, even if two tensor objects name it. */
    private record Key(MemorySegment data, DType dtype) {}

    /** One constant in one layout. */
    static final class Entry {
        private final Key key;
        // the descriptor by which its row-major memory is read (a square matrix may be read as its transpose); 0 reads it as it
        // is
        private final long from;
        private final long layout; // its memory descriptor; 0 stands for row-major
        private final long bytes;
        private int users;
        final long address;

        private Entry(Key key, long from, long layout, long address, long bytes) {
            this.key = key;
            this.from = from;
            this.layout = layout;
            this.address = address;
            this.bytes = bytes;
        }
    }

    private final Native.Heap heap;
    private final Parallel parallel;
    private final Map<Key, List<Entry>> entries = new HashMap<>();
    private long packings;

    PackedWeights(Native.Heap heap, Parallel parallel) {
        this.heap = heap;
        this.parallel = parallel;
    }

    /** Returns the constant in row-major layout. The caller gives it back by {@link #release}. */
    synchronized Entry plain(Tensor t) {
        Entry e = find(t, 0, 0);
        if (e == null) {
            long bytes = t.size() * (t.dtype().isFloat() ? 4 : 8);
            e = add(t, 0, 0, bytes);
            if (!heap.counts()) {
                Floats.copy(t, e.address, parallel);
            }
        }
        e.users++;
        return e;
    }

    /**
     * Returns the constant in the layout {@code to}, where {@code from} describes its row-major memory. The caller gives it back
     * by {@link #release}.
     */
    synchronized Entry packed(Tensor t, long from, long to) {
        if (Primitives.same(from, to)) {
            return plain(t);
        }
        Entry e = find(t, from, to);
        if (e == null) {
            e = add(t, Primitives.copyOf(from), Primitives.copyOf(to), Primitives.bytes(to));
            long bytes = 4 * t.size();
            long plain = heap.allocate(bytes);
            if (!heap.counts()) {
                Floats.copy(t, plain, parallel);
            }
            try (Primitives p = new Primitives(heap.counts())) {
                Primitives.Descriptor d = p.reorder(from, to);
                long scratch = heap.allocate(d.scratch());
                p.prepare(d, scratch, Primitives.SRC, p.memory(from, plain), Primitives.DST, p.memory(to, e.address)).run();
                heap.free(scratch, d.scratch());
            }
            heap.free(plain, bytes);
        }
        e.users++;
        return e;
    }

    private Entry find(Tensor t, long from, long layout) {
        for (Entry e : entries.getOrDefault(new Key(t.data(), t.dtype()), List.of())) {
            if (layout == 0 ? e.layout == 0 : e.layout != 0 && Primitives.same(e.layout, layout)
                    && Primitives.same(e.from, from)) {
                return e;
            }
        }
        return null;
    }

    private Entry add(Tensor t, long from, long layout, long bytes) {
        packings++;
        Entry e = new Entry(new Key(t.data(), t.dtype()), from, layout, heap.allocate(bytes), bytes);
        entries.computeIfAbsent(e.key, k -> new ArrayList<>()).add(e);
        return e;
    }

    /** The number of times that a constant was converted into a layout. */
    synchronized long packings() {
        return packings;
    }

    /** The number of constants and layouts that are held now. */
    synchronized long held() {
        return entries.values().stream().mapToLong(List::size).sum();
    }

    synchronized void release(Entry e) {
        if (--e.users > 0) {
            return;
        }
        List<Entry> list = entries.get(e.key);
        list.remove(e);
        if (list.isEmpty()) {
            entries.remove(e.key);
        }
        heap.free(e.address, e.bytes);
        if (e.layout != 0) {
            Primitives.destroy(e.from);
            Primitives.destroy(e.layout);
        }
    }
}
