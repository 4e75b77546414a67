// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import org.tweedie.ptx.text.Statement;

/** One decoded instruction. Registers are named by the index of their first lane: register n holds its lanes at 32 n .. 32 n + 31. */
public abstract class Instruction {
    public static final int LANES = 32;
    private static final int[] NONE = {};

    /** As written, for messages. */
    public Statement source;
    /** Predicate register that guards it, or -1. */
    public int guard = -1;
    public boolean guardNegated;
    /** Registers read and written, by file: words, longs, predicates. */
    public int[] readsWords = NONE;
    public int[] readsLongs = NONE;
    public int[] readsPreds = NONE;
    public int[] writesWords = NONE;
    public int[] writesLongs = NONE;
    public int[] writesPreds = NONE;

    /** Does it for the lanes of a mask, which is not empty. */
    public abstract void run(Warp w, int mask);

    /** An instruction with one result, computed for all lanes; those that are not active keep what they had. */
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

    /** The same with a 64-bit result. */
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

        /** Lanes for which it holds, whether active or not. */
        public abstract int lanes(Warp w);

        @Override
        public void run(Warp w, int mask) {
            w.preds[d] = w.preds[d] & ~mask | lanes(w) & mask;
        }
    }
}
