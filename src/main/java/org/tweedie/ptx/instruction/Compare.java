// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import java.util.Set;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Warp;

/** The instruction setp: it compares two operands, for all lanes. */
public final class Compare extends Instruction.Pred {
    private final boolean less;
    private final boolean equal;
    private final boolean greater;
    private final boolean unordered;
    private final String type;
    private final int a;
    private final int b;
    private final boolean wide;

    public Compare(String how, String type, int d, int a, int b, boolean wide) {
        super(d);
        String plain = how.length() == 3 && how.endsWith("u") ? how.substring(0, 2) : how; // ltu means lt or unordered
        less = Set.of("lt", "lo", "le", "ls", "ne", "num").contains(plain);
        equal = Set.of("eq", "le", "ls", "ge", "hs", "num").contains(plain);
        greater = Set.of("gt", "hi", "ge", "hs", "ne", "num").contains(plain);
        unordered = !plain.equals(how) || how.equals("nan");
        this.type = type;
        this.a = a;
        this.b = b;
        this.wide = wide;
    }

    @Override
    public int lanes(Warp w) {
        return switch (type) {
            case "s32", "b32" -> signed(w.words);
            case "s16" -> shorts(w.words);
            case "u32", "u16", "b16" -> unsigned(w.words);
            case "f32" -> floats(w.words);
            case "s64", "b64", "u64" -> longs(w.longs, type.equals("u64") ? Long.MIN_VALUE : 0);
            default -> doubles(w.longs);
        };
    }

    /** Tells whether the outcome of a three-way comparison is one that the instruction asks for. */
    private boolean holds(int order) {
        return order < 0 ? less : order == 0 ? equal : greater;
    }

    private int signed(int[] w) {
        int out = 0;
        for (int i = 0; i < LANES; i++) {
            out |= holds(Integer.compare(w[a + i], w[b + i])) ? 1 << i : 0;
        }
        return out;
    }

    private int shorts(int[] w) {
        int out = 0;
        for (int i = 0; i < LANES; i++) {
            out |= holds(Integer.compare((short) w[a + i], (short) w[b + i])) ? 1 << i : 0;
        }
        return out;
    }

    private int unsigned(int[] w) {
        int out = 0;
        for (int i = 0; i < LANES; i++) {
            out |= holds(Integer.compareUnsigned(w[a + i], w[b + i])) ? 1 << i : 0;
        }
        return out;
    }

    private int longs(long[] l, long flip) {
        int out = 0;
        for (int i = 0; i < LANES; i++) {
            out |= holds(Long.compare(l[a + i] ^ flip, l[b + i] ^ flip)) ? 1 << i : 0;
        }
        return out;
    }

    private int floats(int[] w) {
        int out = 0;
        for (int i = 0; i < LANES; i++) {
            out |= holds(Float.intBitsToFloat(w[a + i]), Float.intBitsToFloat(w[b + i])) ? 1 << i : 0;
        }
        return out;
    }

    private int doubles(long[] l) {
        int out = 0;
        for (int i = 0; i < LANES; i++) {
            out |= holds(Double.longBitsToDouble(l[a + i]), Double.longBitsToDouble(l[b + i])) ? 1 << i : 0;
        }
        return out;
    }

    private boolean holds(double x, double y) {
        return x < y ? less : x == y ? equal : x > y ? greater : unordered;
    }
}
