// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.launch.KernelFault;

/**
 * The instruction shfl.sync: each lane reads another lane's register. The third operand holds the clamp (bits 0-4) and the
 * segment mask (bits 8-12), as the PTX ISA says.
 */
public final class Shuffle extends Instruction {
    /** The rule by which a lane finds the lane that it reads from. */
    public enum Mode { UP, DOWN, BFLY, IDX }

    private final Mode mode;
    private final int d;
    private final int pred;
    private final int a;
    private final int b;
    private final int c;
    private final int members;

    public Shuffle(Mode mode, int d, int pred, int a, int b, int c, int members) {
        this.mode = mode;
        this.d = d;
        this.pred = pred;
        this.a = a;
        this.b = b;
        this.c = c;
        this.members = members;
    }

    @Override
    public void run(Warp w, int mask) {
        Control.together(this, w, mask, members);
        int[] out = w.spareWords;
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            int by = w.words[b + lane] & 31;
            int clamp = w.words[c + lane] & 31;
            int segment = w.words[c + lane] >>> 8 & 31;
            int least = lane & segment;
            int most = least | clamp & ~segment;
            int from;
            boolean inside;
            switch (mode) {
                case UP -> {
                    from = lane - by;
                    inside = from >= (least | clamp & ~segment);
                }
                case DOWN -> {
                    from = lane + by;
                    inside = from <= most;
                }
                case BFLY -> {
                    from = lane ^ by;
                    inside = from <= most;
                }
                default -> {
                    from = least | by & ~segment;
                    inside = from <= most;
                }
            }
            int source = inside ? from : lane;
            if ((mask >>> source & 1) == 0) {
                throw w.block.fault(KernelFault.Kind.UNINITIALISED, this, w, lane, "reads from lane " + source
                        + ", which does not take part");
            }
            out[lane] = w.words[a + source];
            if (pred >= 0) {
                w.preds[pred] = inside ? w.preds[pred] | 1 << lane : w.preds[pred] & ~(1 << lane);
            }
        }
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            w.words[d + lane] = out[lane];
        }
    }
}
