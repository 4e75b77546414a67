// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Slot;
import org.tweedie.ptx.execution.Warp;

/**
 * An instruction that works lane by lane and whose meaning is given as a function of the operands' bits. It is meant for rare
 * instructions, which need not be fast; frequent ones have loops of their own ({@link WordLoops}, {@link LongLoops}).
 */
public final class Lanes extends Instruction {
    /**
     * A function of the bits of one lane's operands. Words are zero-extended; the destination keeps as many bits of the result as
     * it has.
     */
    @FunctionalInterface
    public interface Function {
        long of(long a, long b, long c);
    }

    private final Function f;
    private final int d;
    private final char kind;
    private final int bits;
    private final int[] at = new int[3];
    private final boolean[] wide = new boolean[3];

    public Lanes(Function f, Slot d, Slot... in) {
        this.f = f;
        this.d = d.at();
        this.kind = d.kind();
        this.bits = d.bits();
        for (int i = 0; i < in.length; i++) {
            at[i] = in[i].at();
            wide[i] = in[i].kind() == 'l';
        }
        for (int i = in.length; i < 3; i++) {
            at[i] = in[0].at();
            wide[i] = wide[0];
        }
    }

    @Override
    public void run(Warp w, int mask) {
        for (int m = mask; m != 0; m &= m - 1) {
            int i = Integer.numberOfTrailingZeros(m);
            long v = f.of(get(w, 0, i), get(w, 1, i), get(w, 2, i));
            switch (kind) {
                case 'l' -> w.longs[d + i] = v;
                case 'w' -> w.words[d + i] = bits == 16 ? (int) v & 0xFFFF : (int) v;
                default -> w.preds[d] = v != 0 ? w.preds[d] | 1 << i : w.preds[d] & ~(1 << i);
            }
        }
    }

    private long get(Warp w, int n, int lane) {
        return wide[n] ? w.longs[at[n] + lane] : w.words[at[n] + lane] & 0xFFFFFFFFL;
    }
}
