// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tweedie.ptx.text.PtxException;

/**
 * The global memory of the machine. Device addresses are native addresses: a region is a block of native memory of its owner,
 * with a shadow that tells which bytes have been written. Kernels reach it only through the windows of their launch.
 */
public final class Memory {
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    public static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    /** A block of the owner's memory, for as long as it is mapped. */
    public record Region(long address, long bytes, byte[] written) {}

    private final List<Region> regions = new ArrayList<>();

    /**
     * Maps native memory of at most 2 GiB; none of its bytes counts as written. The owner keeps the memory alive until {@link
     * #unmap}.
     */
    public void map(long address, long bytes) {
        regions.add(new Region(address, bytes, new byte[Math.toIntExact(bytes)]));
    }

    public void unmap(long address) {
        if (!regions.removeIf(r -> r.address == address)) {
            throw new IllegalStateException("memory: nothing is mapped at 0x" + Long.toHexString(address));
        }
    }

    /** Returns the bytes that are mapped now. */
    public long mapped() {
        return regions.stream().mapToLong(Region::bytes).sum();
    }

    /** Notes that the host or a library has written these bytes. */
    public void wrote(long address, long bytes) {
        mark(address, bytes, (byte) 1);
    }

    /** Marks these bytes as not written: reading them is an error until they are written again. */
    public void forget(long address, long bytes) {
        mark(address, bytes, (byte) 0);
    }

    /** Tells whether all of these bytes have been written. */
    public boolean written(long address, long bytes) {
        Region r = region(address, bytes);
        int from = (int) (address - r.address);
        for (int i = from; i < from + bytes; i++) {
            if (r.written[i] == 0) {
                return false;
            }
        }
        return true;
    }

    private void mark(long address, long bytes, byte state) {
        Region r = region(address, bytes);
        int from = (int) (address - r.address);
        Arrays.fill(r.written, from, from + (int) bytes, state);
    }

    /** Returns a memory that has this memory's regions and a module's constants. */
    public Memory with(List<Window> constants) {
        Memory m = new Memory();
        m.regions.addAll(regions);
        for (Window c : constants) {
            m.map(c.address(), c.bytes());
            m.wrote(c.address(), c.bytes());
        }
        return m;
    }

    public Region region(long address, long bytes) {
        for (Region r : regions) {
            if (address >= r.address && address + bytes <= r.address + r.bytes) {
                return r;
            }
        }
        throw new PtxException("memory: [0x" + Long.toHexString(address) + ", +" + bytes + ") is not mapped");
    }
}
