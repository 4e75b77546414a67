// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

/** One decoded instruction. Registers are named by the index of their first lane: register n holds its lanes at 32 n .. 32 n + 31. */
abstract class Op {
    static final int LANES = 32;
    private static final int[] NONE = {};

    /** As written, for messages. */
    Statement source;
    /** Predicate register that guards it, or -1. */
    int guard = -1;
    boolean guardNegated;
    /** Registers read and written, by file: words, longs, predicates. */
    int[] readsWords = NONE;
    int[] readsLongs = NONE;
    int[] readsPreds = NONE;
    int[] writesWords = NONE;
    int[] writesLongs = NONE;
    int[] writesPreds = NONE;

    /** Does it for the lanes of a mask, which is not empty. */
    abstract void run(Warp w, int mask);

    /** An instruction with one result, computed for all lanes; those that are not active keep what they had. */
    abstract static class Word extends Op {
        final int d;

        Word(int d) {
            this.d = d;
        }

        abstract void lanes(int[] w, long[] l, int[] to, int d);

        @Override
        void run(Warp w, int mask) {
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
    abstract static class Wide extends Op {
        final int d;

        Wide(int d) {
            this.d = d;
        }

        abstract void lanes(int[] w, long[] l, long[] to, int d);

        @Override
        void run(Warp w, int mask) {
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
    abstract static class Pred extends Op {
        final int d;

        Pred(int d) {
            this.d = d;
        }

        /** Lanes for which it holds, whether active or not. */
        abstract int lanes(Warp w);

        @Override
        void run(Warp w, int mask) {
            w.preds[d] = w.preds[d] & ~mask | lanes(w) & mask;
        }
    }
}
