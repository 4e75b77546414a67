// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.HashSet;
import java.util.Set;
import org.tweedie.ptx.launch.Counts;

/**
 * Counts memory traffic as a GPU would see it. Global memory is counted in the sectors of 32 bytes that a warp's access touches,
 * shared memory in passes over its 32 banks of four bytes (accesses of 8 and 16 bytes are made by halves and quarters of a warp).
 */
public final class Traffic {
    private static final int BANKS = 32;

    final Counts counts = new Counts();
    private final long[] addresses = new long[Instruction.LANES];
    private int lanes;
    private int bytes;
    private boolean store;
    private Space space;

    public void begin(int bytes, boolean store) {
        this.bytes = bytes;
        this.store = store;
        lanes = 0;
    }

    public void lane(Space s, long address) {
        space = s;
        addresses[lanes++] = address;
    }

    public void end() {
        if (lanes == 0) {
            return;
        }
        long useful = (long) lanes * bytes;
        switch (space) {
            case GLOBAL -> {
                Set<Long> sectors = new HashSet<>();
                for (int i = 0; i < lanes; i++) {
                    for (long s = addresses[i] / Counts.SECTOR; s <= (addresses[i] + bytes - 1) / Counts.SECTOR; s++) {
                        sectors.add(s);
                    }
                }
                counts.global(store, useful, sectors.size());
            }
            case SHARED -> counts.shared(store, useful, passes(), (long) ideal());
            default -> counts.local(useful);
        }
    }

    private int group() {
        return bytes >= 16 ? 8 : bytes == 8 ? 16 : 32;
    }

    private int ideal() {
        return (lanes + group() - 1) / group();
    }

    /** Returns how many passes over the banks are needed; lanes that want the same word of a bank are served in one pass. */
    private int passes() {
        int sum = 0;
        for (int from = 0; from < lanes; from += group()) {
            int[] asked = new int[BANKS];
            Set<Long> words = new HashSet<>();
            int worst = 1;
            for (int i = from; i < Math.min(lanes, from + group()); i++) {
                for (long word = addresses[i] / 4; word <= (addresses[i] + bytes - 1) / 4; word++) {
                    if (words.add(word)) {
                        worst = Math.max(worst, ++asked[(int) (word % BANKS)]);
                    }
                }
            }
            sum += worst;
        }
        return sum;
    }
}
