// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import java.util.TreeMap;

/**
 * Blocks of native memory of one owner, whose bytes are counted. Blocks are cut from slabs of huge pages, one after the other; a
 * large block has a slab of its own. A slab is given back when its last block is freed.
 */
public final class Heap implements AutoCloseable {
    private static final long SLAB = 16 * Pages.HUGE;

    /** A range of memory from which blocks are cut. */
    private static final class Slab {
        final long address;
        final long bytes;
        long used;
        int blocks;

        Slab(long address, long bytes) {
            this.address = address;
            this.bytes = bytes;
        }
    }

    private final TreeMap<Long, Slab> slabs = new TreeMap<>(); // by address
    private Slab current; // where the next block is cut; null before the first
    private long live;

    /**
     * Allocates memory of any content at a multiple of {@link Native#ALIGN}.
     *
     * @throws OutOfMemoryError naming the size and what is live
     */
    public synchronized long allocate(long bytes) {
        long size = size(bytes);
        Slab slab = size > SLAB / 2 ? slab(Pages.roundUp(size)) : roomy(size);
        long address = slab.address + slab.used;
        slab.used += size;
        slab.blocks++;
        live += size;
        return address;
    }

    private Slab roomy(long size) {
        if (current == null || current.used + size > current.bytes) {
            Slab full = current;
            current = slab(SLAB);
            if (full != null && full.blocks == 0) {
                unmap(full);
            }
        }
        return current;
    }

    private Slab slab(long bytes) {
        long address = Pages.map(bytes);
        if (address == 0) {
            throw new OutOfMemoryError("device 'cpu': there is no memory for " + (bytes >> 20) + " MiB more, " + (live >> 20)
                    + " MiB are live; try a smaller image");
        }
        Slab slab = new Slab(address, bytes);
        slabs.put(address, slab);
        return slab;
    }

    /** Frees a block. @param bytes the size with which it was allocated */
    public synchronized void free(long address, long bytes) {
        Slab slab = slabs.floorEntry(address).getValue();
        live -= size(bytes);
        if (--slab.blocks > 0) {
            return;
        }
        slab.used = 0;
        if (slab != current) {
            unmap(slab);
        }
    }

    private void unmap(Slab slab) {
        slabs.remove(slab.address);
        Pages.unmap(slab.address, slab.bytes);
    }

    /** Returns the bytes of all blocks. */
    public synchronized long liveBytes() {
        return live;
    }

    /** Gives back what is left when no block is live. */
    @Override
    public synchronized void close() {
        if (current != null) {
            unmap(current);
            current = null;
        }
    }

    /**
     * Returns the bytes of a block, which are a cache line more than asked for, since loops read whole vectors from any start.
     */
    private static long size(long bytes) {
        return Native.roundUp(bytes) + Native.ALIGN;
    }
}
