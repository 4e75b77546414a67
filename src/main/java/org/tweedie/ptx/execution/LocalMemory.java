// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.lang.foreign.Arena;
import java.util.Arrays;
import org.tweedie.ptx.launch.KernelFault;

/** The local memory of a block's threads, stored one thread after the other. */
public final class LocalMemory {
    private final Block block;
    private final long base;
    private final int bytes;
    private final byte[] written;

    LocalMemory(Block block, Arena arena) {
        this.block = block;
        bytes = block.kernel.layout.localBytes();
        long all = bytes * block.threads.count();
        base = Block.allocate(arena, all).address();
        written = new byte[Math.toIntExact(all)];
    }

    void clear() {
        Arrays.fill(written, (byte) 0);
    }

    public long read(Instruction op, Warp w, int lane, long address, int n) {
        int at = bounds(op, w, lane, address, n);
        for (int i = at; i < at + n && block.options.uninitialised(); i++) {
            if (written[i] == 0) {
                throw block.fault(KernelFault.Kind.UNINITIALISED, op, w, lane, "reads local memory at " + address
                        + " that nothing has written");
            }
        }
        return base + at;
    }

    public long write(Instruction op, Warp w, int lane, long address, int n) {
        int at = bounds(op, w, lane, address, n);
        Arrays.fill(written, at, at + n, (byte) 1);
        return base + at;
    }

    private int bounds(Instruction op, Warp w, int lane, long address, int n) {
        if (address < 0 || address + n > bytes) {
            throw block.fault(KernelFault.Kind.OUT_OF_BOUNDS, op, w, lane, "reaches local memory at " + address + ", +" + n
                    + "; a thread has " + bytes + " bytes");
        }
        if (address % n != 0) {
            throw block.fault(KernelFault.Kind.MISALIGNED, op, w, lane, "reaches local memory at " + address + " with " + n
                    + " bytes at once");
        }
        return w.thread(lane) * bytes + (int) address;
    }
}
