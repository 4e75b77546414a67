// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

import java.util.Map;
import java.util.TreeMap;

/** What a launch did. Instructions are always counted, the rest where {@link Options#counts} asks for it. */
public final class Counts {
    /** Bytes of a sector, the unit in which a GPU moves global memory. */
    public static final int SECTOR = 32;

    /** Instructions issued, a warp's counting once. */
    public long warpInstructions;
    /** Instructions done, each thread's counting once. */
    public long threadInstructions;
    /** Bytes that threads asked for, and sectors of 32 bytes that these lie in, warp by warp. */
    public long globalLoadBytes;
    public long globalLoadSectors;
    public long globalStoreBytes;
    public long globalStoreSectors;
    /** Bytes, and passes over the banks: at least, and as the addresses lie. */
    public long sharedLoadBytes;
    public long sharedStoreBytes;
    public long sharedPasses;
    public long sharedPassesAtLeast;
    public long localBytes;
    /** Issued, by name. */
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

    /** Share of the global sectors' bytes that were asked for; 1 where there were none. */
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
