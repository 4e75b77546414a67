// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tweedie.ptx.launch.Counts;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.launch.Size;

/**
 * One block of threads with its warps, its shared memory and its local memory. One object runs several blocks of the grid, one
 * after the other.
 */
public final class Block {
    final Entry kernel;
    public final MachineOptions options;
    final Size grid;
    final Size threads;
    final int dynamicShared;
    final int sharedBytes;
    public final byte[] params;
    public final Windows windows;
    public final SharedMemory shared;
    public final LocalMemory local;
    public final Traffic traffic;
    final Warp[] warps;
    /** The block's place in the grid. */
    Size index = new Size(0, 0, 0);
    /** The number of barriers that the block has passed. */
    int epoch;

    public Block(Launching l, Arena arena) {
        kernel = l.kernel();
         options = l.options();
        grid = l.grid();
        threads = l.block();
        dynamicShared = l.shared();
        sharedBytes = kernel.layout.sharedBytes() + l.shared();
         params = l.params();
         windows = new Windows(l.windows(), l.memory(), l.races());
         traffic = options.counts() ? new Traffic() : null;
         shared = new SharedMemory(this, arena);
         local = new LocalMemory(this, arena);
        warps = new Warp[(int) ((threads.count() + Instruction.LANES - 1) / Instruction.LANES)];
        for (int i = 0; i < warps.length; i++) {
            warps[i] = new Warp(this, i);
        }
    }

    /** Runs the block that is at the given place in the grid. */
    public void run(Size place) {
        index = place;
        epoch = 0;
        shared.clear();
        local.clear();
        for (Warp w : warps) {
            w.reset();
        }
        boolean going = true;
        while (going) {
            going = step();
            epoch++;
        }
    }

    /**
     * Runs every warp to its next barrier or to its end.
     *
     * @return whether the warps wait at a barrier
     */
    private boolean step() {
        Warp at = null;
        Warp done = null;
        for (Warp w : warps) {
            if (w.state == Warp.State.DONE || w.run() == Warp.State.DONE) {
                done = w;
            } else {
                at = w;
            }
        }
        if (at != null && done != null) {
            throw fault(KernelFault.Kind.BARRIER, at, "waits at a barrier that warp " + done.index
                    + " never reaches: it has ended");
        }
        for (Warp w : warps) {
            w.sync++;
        }
        return at != null;
    }

    /** Returns everything that has been counted so far. */
    public Counts counts() {
        Counts c = traffic == null ? new Counts() : traffic.counts;
        for (Warp w : warps) {
            c.warpInstructions += w.issued;
            c.threadInstructions += w.threads;
        }
        return c;
    }

    private KernelFault fault(KernelFault.Kind kind, Warp w, String what) {
        return fault(kind, kernel.code[Math.max(0, w.pc - 1)], w, Integer.numberOfTrailingZeros(w.active), what);
    }

    /** Makes the fault of a lane at an instruction. */
    public KernelFault fault(KernelFault.Kind kind, Instruction op, Warp w, int lane, String what) {
        int t = w.thread(lane);
        Size thread = new Size(t % threads.x(), t / threads.x() % threads.y(), t / threads.x() / threads.y());
        return new KernelFault(kind, kernel.name() + ", " + kernel.file() + ":" + op.source.line() + " (" + op.source.name()
                + "), block " + index
                + " thread " + thread + ": " + what);
    }

    static MemorySegment allocate(Arena arena, long bytes) {
        return arena.allocate(Math.max(16, bytes), 256);
    }
}
