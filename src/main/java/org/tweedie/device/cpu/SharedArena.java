// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.TreeMap;
import org.tweedie.device.cpu.onednn.Native;

/**
 * The memory in which all executables of a device have their arenas, one over the other: they run one after the other, and an
 * arena keeps nothing from one run to the next. So a device holds as much as its largest arena takes. The addresses are reserved
 * once, far more than there is memory, so that the arena grows where it is and no executable has to be bound anew. Whoever runs
 * an executable locks the arena.
 */
final class SharedArena {
    private static final long ADDRESSES = 1L << 40;

    private final boolean counts;
    private final TreeMap<Long, Integer> sizes = new TreeMap<>();
    private long address;
    private long peak;

    /** @param counts whether it only counts: it takes no memory, and gives addresses that nothing may use */
    SharedArena(boolean counts) {
        this.counts = counts;
    }

    /** Returns the address of an arena of this many bytes, which the caller gives back by {@link #release}. */
    synchronized long take(long bytes) {
        if (bytes > ADDRESSES) {
            throw new OutOfMemoryError("device 'cpu': an arena of " + (bytes >> 30) + " GiB; try a smaller image");
        }
        if (address == 0) {
            address = counts ? 1L << 46 : Native.reserve(ADDRESSES);
        }
        if (bytes > bytes() && !counts) {
            Native.use(address, pages(bytes));
        }
        sizes.merge(bytes, 1, Integer::sum);
        peak = Math.max(peak, bytes);
        return address;
    }

    synchronized void release(long bytes) {
        long before = bytes();
        sizes.computeIfPresent(bytes, (b, users) -> users == 1 ? null : users - 1);
        long after = bytes();
        if (!counts && pages(after) < pages(before)) {
            Native.discard(address + pages(after), pages(before) - pages(after));
        }
    }

    /** The bytes of the largest arena. */
    synchronized long bytes() {
        return sizes.isEmpty() ? 0 : sizes.lastKey();
    }

    /** The most bytes of an arena until now. */
    synchronized long peak() {
        return peak;
    }

    /** Gives the addresses back. */
    synchronized void close() {
        if (address != 0 && !counts) {
            Native.unreserve(address, ADDRESSES);
        }
        address = 0;
    }

    /** The bytes of whole pages, with a cache line more than the arena has, since loops read whole vectors from any start. */
    private static long pages(long bytes) {
        return bytes == 0 ? 0 : (bytes + 64 + Native.PAGE - 1) / Native.PAGE * Native.PAGE;
    }
}
