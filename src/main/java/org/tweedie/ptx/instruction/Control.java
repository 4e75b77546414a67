// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.launch.KernelFault;

/** The instructions that change where a warp continues: branches, ends and barriers. */
public final class Control {
    private Control() {}

    /** Goes on at another instruction, in the lanes whose guard holds. */
    public static final class Branch extends Instruction {
        private final int target;

        public Branch(int target) {
            this.target = target;
        }

        @Override
        public void run(Warp w, int mask) {
            w.branch(mask, target);
        }
    }

    /** Ends the lanes whose guard holds. */
    public static final class Exit extends Instruction {
        @Override
        public void run(Warp w, int mask) {
            w.exit(mask);
        }
    }

    /** Stops the launch with a fault. */
    public static final class Trap extends Instruction {
        @Override
        public void run(Warp w, int mask) {
            throw w.block.fault(KernelFault.Kind.TRAP, this, w, Integer.numberOfTrailingZeros(mask), "trap");
        }
    }

    /** The instruction bar.sync 0, a barrier of all threads of the block. */
    public static final class Barrier extends Instruction {
        @Override
        public void run(Warp w, int mask) {
            if (mask != w.live) {
                int other = Integer.numberOfTrailingZeros(w.live & ~mask);
                throw w.block.fault(KernelFault.Kind.BARRIER, this, w, Integer.numberOfTrailingZeros(mask),
                        "waits at a barrier of the block while thread " + w.thread(other) + " of its warp is elsewhere, at line "
                        + w.line(other));
            }
            w.state = Warp.State.BARRIER;
        }
    }

    /** The instruction bar.warp.sync, which orders the warp's lanes among each other. */
    public static final class WarpBarrier extends Instruction {
        private final int members;

        public WarpBarrier(int members) {
            this.members = members;
        }

        @Override
        public void run(Warp w, int mask) {
             together(this, w, mask, members);
            w.sync++;
        }
    }

    /** Checks the rule of warp-wide instructions that exactly the threads that the instruction names have reached it. */
    public static void together(Instruction op, Warp w, int mask, int members) {
        int lane = Integer.numberOfTrailingZeros(mask);
        int named = w.words[members + lane];
        for (int m = mask; m != 0; m &= m - 1) {
            if (w.words[members + Integer.numberOfTrailingZeros(m)] != named) {
                throw w.block.fault(KernelFault.Kind.BARRIER, op, w, lane, "its lanes name different members");
            }
        }
        if ((named & w.live) != mask) {
            int missing = named & w.live & ~mask;
            throw w.block.fault(KernelFault.Kind.BARRIER, op, w, lane, missing != 0
                    ? "names thread " + w.thread(Integer.numberOfTrailingZeros(missing))
                    + " as a member, which is elsewhere, at line " + w.line(Integer.numberOfTrailingZeros(missing))
                    : "is executed by thread " + w.thread(Integer.numberOfTrailingZeros(mask & ~named))
                    + ", which is not among its members");
        }
    }
}
