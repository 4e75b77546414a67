// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.decode;

import java.util.List;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Slot;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.instruction.Lanes;
import org.tweedie.ptx.text.Operand;
import org.tweedie.ptx.text.PtxNumbers;
import org.tweedie.ptx.text.Statement;

/** Decodes mov between a register and its parts (the first part is the lowest), and bfi. */
final class Packing {
    private Packing() {}

    static Instruction pack(Assembly a, Statement s, List<Operand> parts) {
        int bits = width(a, s, parts);
        Slot d = a.result(a.operand(0));
        Slot[] in = parts.stream().map(p -> a.source(p, "b" + bits)).toArray(Slot[]::new);
        if (d.bits() != bits * parts.size()) {
            throw a.error("packs " + parts.size() + " parts of " + bits + " bits into a register of " + d.bits());
        }
        if (in.length == 2) {
            return new Lanes((x, y, _) -> x | y << bits, d, in);
        }
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int i = Integer.numberOfTrailingZeros(m);
                    long v = 0;
                    for (int k = in.length - 1; k >= 0; k--) {
                        v = v << bits | w.words[in[k].at() + i] & (1L << bits) - 1;
                    }
                    w.longs[d.at() + i] = v;
                }
            }
        };
    }

    static Instruction unpack(Assembly a, Statement s, List<Operand> parts) {
        int bits = width(a, s, parts);
        Slot x = a.source(a.operand(1), s.type());
        Slot[] out = new Slot[parts.size()];
        for (int k = 0; k < out.length; k++) {
            out[k] = parts.get(k) instanceof Operand.Sink ? null : a.result(parts.get(k));
            if (out[k] != null && out[k].bits() != bits) {
                throw a.error("part " + (k + 1) + " is a register of " + out[k].bits() + " bits, expected " + bits);
            }
        }
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int i = Integer.numberOfTrailingZeros(m);
                    long v = x.kind() == 'l' ? w.longs[x.at() + i] : w.words[x.at() + i] & 0xFFFFFFFFL;
                    for (int k = 0; k < out.length; k++, v >>>= bits) {
                        if (out[k] != null) {
                            w.words[out[k].at() + i] = (int) (bits == 16 ? v & 0xFFFF : v);
                        }
                    }
                }
            }
        };
    }

    private static int width(Assembly a, Statement s, List<Operand> parts) {
        int bits = 8 * PtxNumbers.bytes(s.type()) / parts.size();
        if (bits != 16 && bits != 32) {
            throw a.refuse();
        }
        return bits;
    }

    /** Decodes bfi d, a, b, from, length: it inserts the low bits of a into b. */
    static Instruction insert(Assembly a, String type) {
        a.expectOperands(5, 5);
        Slot x = a.source(a.operand(1), type);
        Slot y = a.source(a.operand(2), type);
        int from = a.sourceWord(3, "u32");
        int length = a.sourceWord(4, "u32");
        Slot d = a.result(a.operand(0));
        int bits = 8 * PtxNumbers.bytes(type);
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int i = Integer.numberOfTrailingZeros(m);
                    int at = w.words[from + i] & 255;
                    int n = w.words[length + i] & 255;
                    long field = at >= bits || n == 0 ? 0 : (n >= 64 ? -1L : (1L << n) - 1) << at;
                    if (d.kind() == 'l') {
                        w.longs[d.at() + i] = w.longs[y.at() + i] & ~field | w.longs[x.at() + i] << at & field;
                    } else {
                        w.words[d.at() + i] = (int) (w.words[y.at() + i] & ~field | (long) w.words[x.at() + i] << at & field);
                    }
                }
            }
        };
    }
}
