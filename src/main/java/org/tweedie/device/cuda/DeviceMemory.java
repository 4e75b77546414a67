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
 * The device's memory, by owner. cuMemAlloc and cuMemFree stop the card, so blocks given back are kept and given out again; all work is on one stream, so a
 * block may be written by its next owner at once. When the card has no more, what is kept goes back to the driver and the block is asked for again.
 */
final class DeviceMemory implements AutoCloseable {
    /** Blocks of at most this size come in steps of 512 bytes, larger ones of 2 MiB, as the driver hands them out itself. */
    private static final long SMALL = 1 << 20;
    private static final int OWNERS = 5; // named when memory is out

    private record Block(long address, long bytes, String owner) {}

    private final Driver driver;
    private final Map<Long, Block> live = new HashMap<>();
    private final List<Block> kept = new ArrayList<>();
    private long held; // from the driver: live and kept
    private long peak;

    DeviceMemory(Driver driver) {
        this.driver = driver;
    }

    /**
     * @param owner for whom, as in {@code the arena of program 'unet'}
     * @throws CudaException when there is not so much memory, saying who holds what there is; nothing has changed then
     */
    synchronized long allocate(long bytes, String owner) {
        long size = rounded(bytes);
        Block b = kept.stream().filter(k -> k.bytes >= size && k.bytes <= size + size / 8).min(Comparator.comparingLong(Block::bytes)).orElse(null);
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

    /** A call by which the driver takes memory, for a module or a graph, say: where it has none, what is kept here goes back and the call is made again. */
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

    /** Who holds the memory and what to try. */
    private String shortage() {
        Map<String, Long> byOwner = live.values().stream().collect(Collectors.groupingBy(b -> b.owner, Collectors.summingLong(b -> b.bytes)));
        String owners = byOwner.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
                .limit(OWNERS).map(e -> e.getKey() + " " + mebibytes(e.getValue())).collect(Collectors.joining(", "));
        return "; " + mebibytes(driver.freeBytes()) + " are free, live are " + mebibytes(liveBytes()) + (owners.isEmpty() ? "" : ": " + owners)
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

    /** Bytes that have owners. */
    synchronized long liveBytes() {
        return live.values().stream().mapToLong(Block::bytes).sum();
    }

    /** The most bytes that were the driver's no longer at once. */
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

    /** Gives everything back to the driver. */
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
