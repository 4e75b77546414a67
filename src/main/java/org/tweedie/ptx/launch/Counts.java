// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

import java.util.Map;
import java.util.TreeMap;

/** The counts of a launch. Instructions are always counted, everything else where {@link MachineOptions#counts} asks for it. */
public final class Counts {
    /** The bytes of a sector, the unit in which a GPU moves global memory. */
    public static final int SECTOR = 32;

    /** Instructions issued; an instruction of a warp counts once. */
    public long warpInstructions;
    /** Instructions executed; an instruction counts once for each thread. */
    public long threadInstructions;
    /** Bytes that threads asked for, and the sectors of 32 bytes that contain them, counted warp by warp. */
    public long globalLoadBytes;
    public long globalLoadSectors;
    public long globalStoreBytes;
    public long globalStoreSectors;
    /** Bytes; passes over the banks that the addresses need; and the passes that are needed at least. */
    public long sharedLoadBytes;
    public long sharedStoreBytes;
    public long sharedPasses;
    public long sharedPassesAtLeast;
    public long localBytes;
    /** Instructions issued, by name. */
    public final Map<String, Long> byName = new TreeMap<>();

    public void global(boolean store, long bytes, int sectors) {
        if (store) {
            globalStoreBytes += bytes;
            globalStoreSectors += sectors;
        } else {
            globalLoadBytes += bytes;
            globalLoadSectors += sectors;
        }
    }

    public void shared(boolean store, long bytes, long passes, long atLeast) {
        if (store) {
            sharedStoreBytes += bytes;
        } else {
            sharedLoadBytes += bytes;
        }
        sharedPasses += passes;
        sharedPassesAtLeast += atLeast;
    }

    public void local(long bytes) {
        localBytes += bytes;
    }

    /** Returns the share of the global sectors' bytes that threads asked for; 1 where there were no sectors. */
    public double coalescing() {
        long sectors = globalLoadSectors + globalStoreSectors;
        return sectors == 0 ? 1 : (globalLoadBytes + globalStoreBytes) / (double) (SECTOR * sectors);
    }

    public void add(Counts o) {
        warpInstructions += o.warpInstructions;
        threadInstructions += o.threadInstructions;
        globalLoadBytes += o.globalLoadBytes;
        globalLoadSectors += o.globalLoadSectors;
        globalStoreBytes += o.globalStoreBytes;
        globalStoreSectors += o.globalStoreSectors;
        sharedLoadBytes += o.sharedLoadBytes;
        sharedStoreBytes += o.sharedStoreBytes;
        sharedPasses += o.sharedPasses;
        sharedPassesAtLeast += o.sharedPassesAtLeast;
        localBytes += o.localBytes;
        o.byName.forEach((name, n) -> byName.merge(name, n, Long::sum));
    }
}
