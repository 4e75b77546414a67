// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.lang.foreign.Arena;
import java.util.Arrays;
import org.tweedie.ptx.launch.KernelFault;

/**
 * The shared memory of a block, with a shadow that tells which bytes have been written and which wait for an asynchronous copy.
 */
public final class SharedMemory {
    static final byte UNWRITTEN = 0;
    static final byte WRITTEN = 1;
    /** This mark says that a cp.async into the byte has been issued and has not been waited for. */
    static final byte PENDING = 2;

    private final Block block;
    private final long base;
    private final int bytes;
    private final byte[] state;
    private final Races races;

    SharedMemory(Block block, Arena arena) {
        this.block = block;
        bytes = block.sharedBytes;
        base = Block.allocate(arena, bytes).address();
        state = new byte[bytes];
        races = block.options.races() ? new Races(bytes, false) : null;
    }

    void clear() {
        Arrays.fill(state, UNWRITTEN);
        if (races != null) {
            races.clear();
        }
    }

    /** Checks a read and returns the native address that the lane reads from. */
    public long read(Instruction op, Warp w, int lane, long address, int n) {
        int at = bounds(op, w, lane, address, n);
        for (int i = at; i < at + n; i++) {
            if (state[i] != WRITTEN && (state[i] == PENDING || block.options.uninitialised())) {
                throw unready(op, w, lane, i, "reads");
            }
        }
        if (races != null) {
            races.read(this::name, op, w, lane, at, n);
        }
        return base + at;
    }

    /** Checks a write and returns the native address that the lane writes to. */
    public long write(Instruction op, Warp w, int lane, long address, int n) {
        int at = bounds(op, w, lane, address, n);
        for (int i = at; i < at + n; i++) {
            if (state[i] == PENDING) {
                throw unready(op, w, lane, i, "writes");
            }
            state[i] = WRITTEN;
        }
        if (races != null) {
            races.write(this::name, op, w, lane, at, n);
        }
        return base + at;
    }

    /**
     * Returns the native address of the target of an asynchronous copy; no thread may touch the target until the copy has been
     * waited for.
     */
    long pend(Instruction op, Warp w, int lane, long address, int n) {
        long to = write(op, w, lane, address, n);
        Arrays.fill(state, (int) address, (int) address + n, PENDING);
        return to;
    }

    /** Marks the target of an asynchronous copy as written by the copy's thread just now. */
    void arrive(Instruction op, Warp w, int lane, long address, int n) {
        Arrays.fill(state, (int) address, (int) address + n, WRITTEN);
        if (races != null) {
            races.write(this::name, op, w, lane, (int) address, n);
        }
    }

    private KernelFault unready(Instruction op, Warp w, int lane, int at, String how) {
        return state[at] == PENDING
                ? block.fault(KernelFault.Kind.PENDING_COPY, op, w, lane, how + " " + name(at)
                + " while a cp.async into it is pending; the kernel must wait for its group first")
                : block.fault(KernelFault.Kind.UNINITIALISED, op, w, lane, how + " " + name(at) + " that nothing has written");
    }

    private int bounds(Instruction op, Warp w, int lane, long address, int n) {
        if (address < 0 || address + n > bytes) {
            throw block.fault(KernelFault.Kind.OUT_OF_BOUNDS, op, w, lane, "reaches shared memory at " + address + ", +" + n
                    + "; the block has " + bytes + " bytes");
        }
        if (address % n != 0) {
            throw block.fault(KernelFault.Kind.MISALIGNED, op, w, lane, "reaches shared memory at " + address + " with " + n
                    + " bytes at once");
        }
        return (int) address;
    }

    private String name(int at) {
        return "shared memory at " + at;
    }
}
