// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Tests that blocks are aligned, apart, as large as asked for, and counted. */
class HeapTest {
    @Test
    void blocksStayApartWhileOthersComeAndGo() {
        Random random = new Random(1);
        TreeMap<Long, Long> blocks = new TreeMap<>(); // sizes by address
        try (Heap heap = new Heap()) {
            for (int i = 0; i < 400; i++) {
                if (blocks.size() > 40 || !blocks.isEmpty() && random.nextInt(3) == 0) {
                    long span = 1 + blocks.lastKey() - blocks.firstKey();
                    long address = blocks.ceilingKey(blocks.firstKey() + random.nextLong(span));
                    heap.free(address, blocks.remove(address));
                } else {
                    long bytes = random.nextInt(10) == 0 ? random.nextInt(40 << 20) : random.nextInt(1 << 16);
                    long address = heap.allocate(bytes);
                    assertEquals(0, address % Native.ALIGN);
                    Map.Entry<Long, Long> before = blocks.floorEntry(address);
                    assertTrue(before == null || before.getKey() + before.getValue() <= address, "overlaps the block before");
                    Long after = blocks.ceilingKey(address);
                    assertTrue(after == null || address + bytes <= after, "overlaps the block behind");
                    Native.ALL.asSlice(address, bytes).fill((byte) i);
                    blocks.put(address, bytes);
                }
            }
            assertTrue(heap.liveBytes() >= blocks.values().stream().mapToLong(b -> b).sum());
            blocks.forEach(heap::free);
            assertEquals(0, heap.liveBytes());
        }
    }

    /** A slab whose blocks are all free is cut from its begin again, so a long run of short-lived blocks takes no more memory. */
    @Test
    void freedMemoryIsUsedAgain() {
        try (Heap heap = new Heap()) {
            long first = heap.allocate(1 << 20);
            heap.free(first, 1 << 20);
            for (int i = 0; i < 100; i++) {
                long again = heap.allocate(1 << 20);
                assertEquals(first, again);
                heap.free(again, 1 << 20);
            }
        }
    }

    @Test
    void aSizeThatNoMachineHasIsRefused() {
        try (Heap heap = new Heap()) {
            OutOfMemoryError e = assertThrows(OutOfMemoryError.class, () -> heap.allocate(1L << 50));
            assertTrue(e.getMessage().contains("MiB"), e.getMessage());
            assertEquals(0, heap.liveBytes());
        }
    }
}
