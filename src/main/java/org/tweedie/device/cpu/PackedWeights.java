// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.cpu.loops.Floats;
import org.tweedie.device.cpu.onednn.Heap;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Tensor;

/**
 * The constants in native memory as F32, BF16 or I64, row-major or in the layout that a primitive chose. All executables of a
 * device share them: a constant is converted once per type and layout, and freed when its last user has released it.
 */
final class PackedWeights {
    /** The key of a constant: the same memory read as the same type is the same constant, even if two tensor objects name it. */
    private record Key(MemorySegment data, DType dtype) {}

    /** One constant in one type and layout. */
    static final class Entry {
        private final Key key;
        private final DType as; // its type in memory
        // the descriptor by which its row-major memory is read (a square matrix may be read as its transpose); 0 reads it as it
        // is
        private final long from;
        private final long layout; // its memory descriptor; 0 stands for row-major
        private final long bytes;
        private int users;
        final long address;

        private Entry(Key key, DType as, long from, long layout, long address, long bytes) {
            this.key = key;
            this.as = as;
            this.from = from;
            this.layout = layout;
            this.address = address;
            this.bytes = bytes;
        }
    }

    private final Heap heap;
    private final Parallel parallel;
    private final Map<Key, List<Entry>> entries = new HashMap<>();
    private long packings;
    private long staging; // where a constant is converted before it is laid out; 0 where there is no such place
    private long stagingBytes;

    PackedWeights(Heap heap, Parallel parallel) {
        this.heap = heap;
        this.parallel = parallel;
    }

    /** Returns the constant in a type, in row-major layout. The caller gives it back by {@link #release}. */
    synchronized Entry plain(Tensor t, DType as) {
        Entry e = find(t, as, 0, 0);
        if (e == null) {
            e = add(t, as, 0, 0, as.bytes() * t.size());
            Floats.copy(t, as, e.address, parallel);
        }
        e.users++;
        return e;
    }

    /**
     * Returns the constant in the layout {@code to}, where {@code from} describes its row-major memory; both are of the type
     * {@code as}. The caller gives it back by {@link #release}.
     */
    synchronized Entry packed(Tensor t, DType as, long from, long to) {
        if (Primitives.same(from, to)) {
            return plain(t, as);
        }
        Entry e = find(t, as, from, to);
        if (e == null) {
            e = add(t, as, Primitives.copyOf(from), Primitives.copyOf(to), Primitives.bytes(to));
            long plain = staging(as.bytes() * t.size());
            Floats.copy(t, as, plain, parallel);
            try (Primitives p = new Primitives()) {
                Primitives.Descriptor d = p.reorder(from, to);
                long scratch = heap.allocate(d.scratch());
                p.prepare(d, scratch, Primitives.SRC, p.memory(from, plain), Primitives.DST, p.memory(to, e.address)).run();
                heap.free(scratch, d.scratch());
            }
        }
        e.users++;
        return e;
    }

    /** Returns the place for a plain copy, which the next call takes again: touching new memory costs more than converting. */
    private long staging(long bytes) {
        if (bytes > stagingBytes) {
            unstage();
            staging = heap.allocate(bytes);
            stagingBytes = bytes;
        }
        return staging;
    }

    /** Frees the working memory of {@link #packed}; a program that has all its constants calls it. */
    synchronized void unstage() {
        if (staging != 0) {
            heap.free(staging, stagingBytes);
            staging = 0;
            stagingBytes = 0;
        }
    }

    private Entry find(Tensor t, DType as, long from, long layout) {
        for (Entry e : entries.getOrDefault(new Key(t.data(), t.dtype()), List.of())) {
            if (layout == 0 ? e.layout == 0 && e.as == as : e.layout != 0 && Primitives.same(e.layout, layout)
                    && Primitives.same(e.from, from)) {
                return e;
            }
        }
        return null;
    }

    private Entry add(Tensor t, DType as, long from, long layout, long bytes) {
        packings++;
        Entry e = new Entry(new Key(t.data(), t.dtype()), as, from, layout, heap.allocate(bytes), bytes);
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
