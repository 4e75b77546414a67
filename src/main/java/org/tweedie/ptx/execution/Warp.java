// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.Arrays;
import org.tweedie.ptx.launch.KernelFault;

/**
 * 32 threads and their registers. Lanes that are at the same instruction run together. Of several such groups, the one at the
 * lowest instruction runs first, so that branches meet again as early as they can.
 */
public final class Warp {
    /** The state of a lane: it runs, waits at a barrier, or has ended. */
    public enum State { RUNNING, BARRIER, DONE }

    public final Block block;
    final int index;
    public final int[] words;
    public final long[] longs;
    public final int[] preds;
    public final int[] spareWords = new int[Instruction.LANES];
    final long[] spareLongs = new long[Instruction.LANES];
    /** The lanes that have written each register. */
    private final int[] writtenWords;
    private final int[] writtenLongs;
    private final int[] writtenPreds;
    /** The lanes of each register that have a value from the start. */
    private final int[] givenWords;
    private final int[] givenLongs;

    /** The lanes that run now ({@code active}), and those that have not exited ({@code live}). */
    int active;
    public int live;
    int pc;
    /** The state that the last control instruction has asked for. */
    public State state = State.RUNNING;
    /** Counts how often the warp's lanes have been ordered among each other, by a barrier of the warp or of the block. */
    public int sync;
    public final AsyncCopies copies;

    private final Instruction[] code;
    private final int[] lanePc = new int[Instruction.LANES];
    /** The lowest instruction at which lanes that are not active wait. */
    private int waiting = Integer.MAX_VALUE;
    long issued;
    long threads;

    Warp(Block block, int index) {
        this.block = block;
        this.index = index;
        Entry e = block.kernel;
        this.code = e.code;
         words = new int[e.registers.words() * Instruction.LANES];
         longs = new long[e.registers.longs() * Instruction.LANES];
         preds = new int[e.registers.preds()];
        writtenWords = new int[e.registers.words()];
        writtenLongs = new int[e.registers.longs()];
        writtenPreds = new int[e.registers.preds()];
        givenWords = new int[writtenWords.length];
        givenLongs = new int[writtenLongs.length];
         copies = new AsyncCopies(this);
        constants();
    }

    /** Makes the warp ready to run from the start, at the block's present place in the grid. */
    void reset() {
        int first = index * Instruction.LANES;
        int n = (int) Math.min(Instruction.LANES, block.threads.count() - first);
         live = n == Instruction.LANES ? -1 : (1 << n) - 1;
        active = live;
        pc = 0;
         sync = 0;
        waiting = Integer.MAX_VALUE;
         state = State.RUNNING;
        copies.clear();
        System.arraycopy(givenWords, 0, writtenWords, 0, givenWords.length);
        System.arraycopy(givenLongs, 0, writtenLongs, 0, givenLongs.length);
        Arrays.fill(writtenPreds, 0);
        block.kernel.registers.specials().forEach((name, s) -> {
            if (SpecialRegister.ofBlock(name)) {
                fill(s, name);
            }
        });
    }

    /** Fills the registers that no block changes: numbers in the text, and a thread's place in the block. */
    private void constants() {
        Registers r = block.kernel.registers;
        r.wordConstants().forEach((bits, s) -> {
            Arrays.fill(words, s.at(), s.at() + Instruction.LANES, bits);
            givenWords[s.index()] = -1;
        });
        r.longConstants().forEach((bits, s) -> {
            Arrays.fill(longs, s.at(), s.at() + Instruction.LANES, bits);
            givenLongs[s.index()] = -1;
        });
        r.specials().forEach((name, s) -> {
            fill(s, name);
            givenWords[s.index()] = -1;
        });
    }

    private void fill(Slot s, String special) {
        for (int i = 0; i < Instruction.LANES; i++) {
            words[s.at() + i] = SpecialRegister.value(special, block, thread(i));
        }
    }

    /** Runs until a barrier of the block or the end. */
    State run() {
         state = State.RUNNING;
        boolean check = block.options.uninitialised();
        while (state == State.RUNNING) {
            if (pc >= code.length) {
                 exit(active);
                continue;
            }
            Instruction op = code[pc];
            int mask = active;
            if (op.guard >= 0) {
                if (check && (writtenPreds[op.guard] & active) != active) {
                    uninitialised(op, 'p', op.guard, active & ~writtenPreds[op.guard]);
                }
                mask &= op.guardNegated ? ~preds[op.guard] : preds[op.guard];
            }
            issued++;
            if (block.traffic != null) {
                block.traffic.counts.byName.merge(op.source.name(), 1L, Long::sum);
            }
            pc++;
            if (mask != 0) {
                threads += Integer.bitCount(mask);
                if (check) {
                    check(op, mask);
                }
                op.run(this, mask);
            }
            if (pc >= waiting) {
                regroup();
            }
        }
         return state;
    }

    private void check(Instruction op, int mask) {
        for (int r : op.readsWords) {
            if ((writtenWords[r] & mask) != mask) {
                uninitialised(op, 'w', r, mask & ~writtenWords[r]);
            }
        }
        for (int r : op.readsLongs) {
            if ((writtenLongs[r] & mask) != mask) {
                uninitialised(op, 'l', r, mask & ~writtenLongs[r]);
            }
        }
        for (int r : op.readsPreds) {
            if ((writtenPreds[r] & mask) != mask) {
                uninitialised(op, 'p', r, mask & ~writtenPreds[r]);
            }
        }
        for (int r : op.writesWords) {
            writtenWords[r] |= mask;
        }
        for (int r : op.writesLongs) {
            writtenLongs[r] |= mask;
        }
        for (int r : op.writesPreds) {
            writtenPreds[r] |= mask;
        }
    }

    private void uninitialised(Instruction op, char kind, int register, int lanes) {
        throw block.fault(KernelFault.Kind.UNINITIALISED, op, this, Integer.numberOfTrailingZeros(lanes),
                "reads register " + block.kernel.registers.name(kind, register) + " that nothing has written");
    }

    /** Sends the given lanes to a target; the others continue behind the branch. */
    public void branch(int lanes, int target) {
        if (lanes == active) {
            pc = target;
            if (pc >= waiting) {
                regroup();
            }
            return;
        }
        settle();
        for (int m = lanes; m != 0; m &= m - 1) {
            lanePc[Integer.numberOfTrailingZeros(m)] = target;
        }
        choose();
    }

    public void exit(int lanes) {
        settle();
        live &= ~lanes;
        active &= ~lanes;
        if (live == 0) {
             state = State.DONE;
        } else {
            choose();
        }
    }

    private void regroup() {
        settle();
        choose();
    }

    private void settle() {
        for (int m = active; m != 0; m &= m - 1) {
            lanePc[Integer.numberOfTrailingZeros(m)] = pc;
        }
    }

    private void choose() {
        int lowest = Integer.MAX_VALUE;
        for (int m = live; m != 0; m &= m - 1) {
            lowest = Math.min(lowest, lanePc[Integer.numberOfTrailingZeros(m)]);
        }
        int group = 0;
        int next = Integer.MAX_VALUE;
        for (int m = live; m != 0; m &= m - 1) {
            int i = Integer.numberOfTrailingZeros(m);
            if (lanePc[i] == lowest) {
                group |= 1 << i;
            } else {
                next = Math.min(next, lanePc[i]);
            }
        }
        active = group;
        pc = lowest;
        waiting = next;
    }

    /** Returns the index in the block of a lane's thread. */
    public int thread(int lane) {
        return index * Instruction.LANES + lane;
    }

    /** Returns the line of the instruction at which a lane that is not active waits. */
    public int line(int lane) {
        return lanePc[lane] < code.length ? code[lanePc[lane]].source.line() : 0;
    }
}
