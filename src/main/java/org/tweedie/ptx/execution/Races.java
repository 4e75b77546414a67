// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.Arrays;
import java.util.function.IntFunction;
import org.tweedie.ptx.launch.KernelFault;

/**
 * A log of the threads that last read and wrote each unit of two bytes. Two accesses of different threads to the same bytes, one
 * of them a write, must have a barrier between them: a barrier of their block, or one of their warp where they are in the same
 * warp. Threads of different blocks have no barrier at all.
 */
public final class Races {
    private static final int NOBODY = -1;
    /** These marks stand for reads since the last write: by several threads of one warp, of one block, of several blocks. */
    private static final int WARP = 1;
    private static final int BLOCK = 2;
    private static final int GRID = 3;

    private final boolean acrossBlocks;
    private final int[] writer; // the thread's number in the grid
    private final int[] writeEpoch;
    private final int[] writeSync;
    private final int[] reader;
    private final byte[] readBy;
    private final int[] readEpoch;
    private final int[] readSync;

    /**
     * Makes an empty log.
     *
     * @param acrossBlocks whether threads of different blocks access this memory
     */
    public Races(long bytes, boolean acrossBlocks) {
        int n = Math.toIntExact((bytes + 1) / 2);
        this.acrossBlocks = acrossBlocks;
        writer = new int[n];
        writeEpoch = new int[n];
        writeSync = new int[n];
        reader = new int[n];
        readBy = new byte[n];
        readEpoch = new int[n];
        readSync = new int[n];
        clear();
    }

    void clear() {
        Arrays.fill(writer, NOBODY);
        Arrays.fill(reader, NOBODY);
        Arrays.fill(readBy, (byte) 0);
    }

    private int block(Warp w) {
        Block b = w.block;
        return acrossBlocks ? (b.index.z() * b.grid.y() + b.index.y()) * b.grid.x() + b.index.x() : 0;
    }

    /** Returns the number of a thread: its block in the high bits, its place in the block in the low ten bits. */
    private int me(Warp w, int lane) {
        return block(w) << 10 | w.thread(lane);
    }

    void read(IntFunction<String> name, Instruction op, Warp w, int lane, int at, int n) {
        int me = me(w, lane);
        for (int i = at >> 1; i < at + n + 1 >> 1; i++) {
            if (writer[i] != NOBODY && writer[i] != me && !ordered(writer[i], writeEpoch[i], writeSync[i], w, me)) {
                throw race(name, op, w, lane, i, "reads", writer[i], "written");
            }
            noteRead(i, w, me);
        }
    }

    private void noteRead(int i, Warp w, int me) {
        int who = reader[i];
        if (who == NOBODY || ordered(who, readEpoch[i], readSync[i], w, me) && readBy[i] < GRID) {
            readBy[i] = 0; // a thread that is ordered after this read is ordered after the earlier ones too
        } else if (who != me) {
            byte by = (byte) (who >> 5 == me >> 5 ? WARP : who >> 10 == me >> 10 ? BLOCK : GRID);
            readBy[i] = (byte) Math.max(readBy[i], by);
        }
        reader[i] = me;
        readEpoch[i] = w.block.epoch;
        readSync[i] = w.sync;
    }

    void write(IntFunction<String> name, Instruction op, Warp w, int lane, int at, int n) {
        int me = me(w, lane);
        for (int i = at >> 1; i < at + n + 1 >> 1; i++) {
            if (writer[i] != NOBODY && writer[i] != me && !ordered(writer[i], writeEpoch[i], writeSync[i], w, me)) {
                throw race(name, op, w, lane, i, "writes", writer[i], "written");
            }
            if (reader[i] != NOBODY && readClashes(i, w, me)) {
                throw race(name, op, w, lane, i, "writes", reader[i], "read");
            }
            writer[i] = me;
            writeEpoch[i] = w.block.epoch;
            writeSync[i] = w.sync;
            reader[i] = NOBODY;
            readBy[i] = 0;
        }
    }

    private boolean readClashes(int i, Warp w, int me) {
        return switch (readBy[i]) {
            case 0 -> reader[i] != me && !ordered(reader[i], readEpoch[i], readSync[i], w, me);
            case WARP -> !ordered(reader[i], readEpoch[i], readSync[i], w, me);
            case BLOCK -> reader[i] >> 10 != me >> 10 || readEpoch[i] >= w.block.epoch;
            default -> true;
        };
    }

    /** Tells whether a barrier orders an earlier access of another thread before now. */
    private static boolean ordered(int other, int epoch, int sync, Warp w, int me) {
        return other >> 10 == me >> 10 && (epoch < w.block.epoch || other >> 5 == me >> 5 && sync < w.sync);
    }

    private KernelFault race(IntFunction<String> name, Instruction op, Warp w, int lane, int unit, String how, int other,
            String was) {
        return w.block.fault(KernelFault.Kind.RACE, op, w, lane, how + " " + name.apply(2 * unit) + ", which thread "
                + (other & 1023)
                + (acrossBlocks ? " of block " + (other >> 10) : "") + " has " + was + " with no barrier between");
    }
}
