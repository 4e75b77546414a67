// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import org.tweedie.ptx.text.Statement;

/**
 * One decoded instruction. A register is named by the index of its first lane: register n holds its lanes at 32 n .. 32 n + 31.
 */
public abstract class Instruction {
    public static final int LANES = 32;
    private static final int[] NONE = {};

    /** The statement as it was written, for messages. */
    public Statement source;
    /** The predicate register that guards the instruction, or -1. */
    public int guard = -1;
    public boolean guardNegated;
    /** The registers that are read and written, for each file: words, longs, predicates. */
    public int[] readsWords = NONE;
    public int[] readsLongs = NONE;
    public int[] readsPreds = NONE;
    public int[] writesWords = NONE;
    public int[] writesLongs = NONE;
    public int[] writesPreds = NONE;

    /** Executes the instruction for the lanes of a mask, which is not empty. */
    public abstract void run(Warp w, int mask);

    /** An instruction with one 32-bit result that is computed for all lanes; lanes that are not active keep their old value. */
    public abstract static class Word extends Instruction {
        public final int d;

        public Word(int d) {
            this.d = d;
        }

        public abstract void lanes(int[] w, long[] l, int[] to, int d);

        @Override
        public void run(Warp w, int mask) {
            if (mask == -1) {
                lanes(w.words, w.longs, w.words, d);
                return;
            }
            lanes(w.words, w.longs, w.spareWords, 0);
            for (int m = mask; m != 0; m &= m - 1) {
                int i = Integer.numberOfTrailingZeros(m);
                w.words[d + i] = w.spareWords[i];
            }
        }
    }

    /** An instruction with one 64-bit result that is computed for all lanes; lanes that are not active keep their old value. */
    public abstract static class Wide extends Instruction {
        public final int d;

        public Wide(int d) {
            this.d = d;
        }

        public abstract void lanes(int[] w, long[] l, long[] to, int d);

        @Override
        public void run(Warp w, int mask) {
            if (mask == -1) {
                lanes(w.words, w.longs, w.longs, d);
                return;
            }
            lanes(w.words, w.longs, w.spareLongs, 0);
            for (int m = mask; m != 0; m &= m - 1) {
                int i = Integer.numberOfTrailingZeros(m);
                w.longs[d + i] = w.spareLongs[i];
            }
        }
    }

    /** An instruction whose result is a predicate. */
    public abstract static class Pred extends Instruction {
        public final int d;

        public Pred(int d) {
            this.d = d;
        }

        /** Returns the lanes for which the predicate holds, whether they are active or not. */
        public abstract int lanes(Warp w);

        @Override
        public void run(Warp w, int mask) {
            w.preds[d] = w.preds[d] & ~mask | lanes(w) & mask;
        }
    }
}
