// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.tweedie.device.Closing;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;

/**
 * The device's memory, by owner. cuMemAlloc and cuMemFree make the card wait, so freed blocks are kept and given out again. All
 * work is on one stream, so the next owner of a block may write it at once. When the card has no more memory, the kept blocks go
 * back to the driver and the allocation is repeated.
 */
final class DeviceMemory implements AutoCloseable {
    /** Blocks of at most this size are rounded up to 512 bytes, larger ones to 2 MiB, as the driver itself does. */
    private static final long SMALL = 1 << 20;
    private static final int OWNERS = 5; // the number of owners that a message about shortage names

    private record Block(long address, long bytes, String owner) {}

    private final Driver driver;
    private final Map<Long, Block> live = new HashMap<>();
    private final List<Block> kept = new ArrayList<>();
    private long held; // the bytes taken from the driver: live and kept
    private long peak;

    DeviceMemory(Driver driver) {
        this.driver = driver;
    }

    /**
     * Allocates a block.
     *
     * @param owner the owner's name, for example {@code the arena of program 'unet'}
     * @throws CudaException when there is not enough memory, naming the owners of the live memory; nothing has changed then
     */
    synchronized long allocate(long bytes, String owner) {
        long size = rounded(bytes);
        Block b = kept.stream().filter(k -> k.bytes >= size && k.bytes <= size + size / 8)
                .min(Comparator.comparingLong(Block::bytes)).orElse(null);
        if (b != null) {
            kept.remove(b);
        } else {
            b = new Block(fresh(size, owner), size, null);
        }
        live.put(b.address, new Block(b.address, b.bytes, owner));
        return b.address;
    }

    private long fresh(long size, String owner) {
        try {
            long address = withRoom(() -> driver.allocate(size));
            held += size;
            peak = Math.max(peak, held);
            return address;
        } catch (CudaException e) {
            throw e.at("for " + mebibytes(size) + " of " + owner + (e.outOfMemory() ? shortage() : ""));
        }
    }

    /**
     * Makes a call in which the driver itself takes memory, for example for a module or a graph. If the driver has none, the kept
     * blocks are given back and the call is repeated.
     */
    synchronized <T> T withRoom(Supplier<T> call) {
        try {
            return call.get();
        } catch (CudaException e) {
            if (!e.outOfMemory() || kept.isEmpty()) {
                throw e;
            }
        }
        freeKept();
        return call.get();
    }

    /** Describes who owns the memory and what the user can try. */
    private String shortage() {
        Map<String, Long> byOwner = live.values().stream()
                .collect(Collectors.groupingBy(b -> b.owner, Collectors.summingLong(b -> b.bytes)));
        String owners = byOwner.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue().reversed()
                .thenComparing(Map.Entry.comparingByKey()))
                .limit(OWNERS).map(e -> e.getKey() + " " + mebibytes(e.getValue())).collect(Collectors.joining(", "));
        return "; " + mebibytes(driver.freeBytes()) + " are free, live are " + mebibytes(liveBytes())
                + (owners.isEmpty() ? "" : ": " + owners)
                + "; try a smaller image or batch, --dtype bf16, or close other programs on the card";
    }

    private static String mebibytes(long bytes) {
        return Math.ceilDiv(bytes, 1L << 20) + " MiB";
    }

    private static long rounded(long bytes) {
        long step = bytes <= SMALL ? 512 : 2 << 20;
        return Math.max(1, Math.ceilDiv(bytes, step)) * step;
    }

    synchronized void free(long address) {
        Block b = live.remove(address);
        if (b == null) {
            throw new IllegalStateException("cuda: address 0x" + Long.toHexString(address) + " is freed and not held");
        }
        kept.add(b);
    }

    /** Returns the bytes that have owners. */
    synchronized long liveBytes() {
        return live.values().stream().mapToLong(Block::bytes).sum();
    }

    /** Returns the largest number of bytes that were taken from the driver at one time. */
    synchronized long peakBytes() {
        return peak;
    }

    private void freeKept() {
        for (Block b : kept) {
            driver.free(b.address);
            held -= b.bytes;
        }
        kept.clear();
    }

    /** Gives all memory back to the driver. */
    @Override
    public synchronized void close() {
        try (Closing closing = new Closing()) {
            live.keySet().forEach(a -> closing.add(() -> driver.free(a)));
            kept.forEach(b -> closing.add(() -> driver.free(b.address)));
            live.clear();
            kept.clear();
        }
    }
}
