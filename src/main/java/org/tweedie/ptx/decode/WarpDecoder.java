// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.decode;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Slot;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.instruction.Control;
import org.tweedie.ptx.instruction.LdMatrix;
import org.tweedie.ptx.instruction.Mma;
import org.tweedie.ptx.instruction.Shuffle;
import org.tweedie.ptx.text.Operand;
import org.tweedie.ptx.text.Statement;

/** Decodes the instructions in which the threads of a warp work together: shuffles, votes and matrix products. */
final class WarpDecoder {
    private WarpDecoder() {}

    static Instruction decode(Assembly a, Statement s) {
        return switch (s.opcode()) {
            case "shfl" -> shuffle(a, s);
            case "vote" -> vote(a, s);
            case "activemask" -> activemask(a);
            case "mma" -> mma(a, s);
            default -> ldmatrix(a, s);
        };
    }

    private static Instruction shuffle(Assembly a, Statement s) {
        if (s.mods().size() != 3 || !s.mods().getFirst().equals("sync") || !s.type().equals("b32")
                || !List.of("up", "down", "bfly", "idx").contains(s.mods().get(1))) {
            throw a.refuse();
        }
        a.expectOperands(5, 5);
        Operand result = a.operand(0);
        int d = a.resultWord(result instanceof Operand.Pair p ? p.first() : result);
        int pred = result instanceof Operand.Pair p ? a.resultPred(p.second()) : -1;
        return new Shuffle(Shuffle.Mode.valueOf(s.mods().get(1).toUpperCase(Locale.ROOT)), d, pred, a.sourceWord(1, "b32"),
                a.sourceWord(2, "b32"), a.sourceWord(3, "b32"), a.sourceWord(4, "b32"));
    }

    private static Instruction vote(Assembly a, Statement s) {
        if (s.mods().size() != 3 || !s.mods().getFirst().equals("sync")) {
            throw a.refuse();
        }
        a.expectOperands(3, 3);
        String how = s.mods().get(1);
        boolean not = a.operand(1) instanceof Operand.Reg r && r.negated();
        int p = a.sourcePred(1);
        int members = a.sourceWord(2, "b32");
        boolean ballot = how.equals("ballot");
        int d = ballot ? a.resultWord(a.operand(0)) : a.resultPred(a.operand(0));
        if (!List.of("all", "any", "uni", "ballot").contains(how)) {
            throw a.refuse();
        }
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                Control.together(this, w, mask, members);
                int yes = (not ? ~w.preds[p] : w.preds[p]) & mask;
                if (ballot) {
                    for (int m = mask; m != 0; m &= m - 1) {
                        w.words[d + Integer.numberOfTrailingZeros(m)] = yes;
                    }
                    return;
                }
                boolean holds = switch (how) {
                    case "all" -> yes == mask;
                    case "any" -> yes != 0;
                    default -> yes == mask || yes == 0;
                };
                w.preds[d] = holds ? w.preds[d] | mask : w.preds[d] & ~mask;
            }
        };
    }

    private static Instruction activemask(Assembly a) {
        a.expectOperands(1, 1);
        int d = a.resultWord(a.operand(0));
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    w.words[d + Integer.numberOfTrailingZeros(m)] = mask;
                }
            }
        };
    }

    private static Instruction mma(Assembly a, Statement s) {
        // The name in full is mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32.
        List<String> m = s.mods();
        boolean known = m.size() == 9 && m.get(0).equals("sync") && m.get(1).equals("aligned") && m.get(2).matches("m16n8k(8|16)")
                && m.get(3).equals("row") && m.get(4).equals("col") && m.get(5).equals("f32") && m.get(8).equals("f32")
                && m.get(6).equals(m.get(7)) && m.get(6).matches("b?f16");
        if (!known) {
            throw a.refuse();
        }
        a.expectOperands(4, 4);
        int k = m.get(2).endsWith("16") ? 16 : 8;
        return new Mma(k, m.get(6).equals("bf16"), words(a, 0, 4, true), words(a, 1, k / 4, false), words(a, 2, k / 8, false),
                words(a, 3, 4, false));
    }

    /** Returns the registers of a matrix fragment. */
    private static int[] words(Assembly a, int operand, int n, boolean result) {
        Operand o = a.operand(operand);
        List<Operand> parts = o instanceof Operand.Vector v ? v.parts() : List.of(o);
        if (parts.size() != n) {
            throw a.error("operand " + (operand + 1) + ": expected " + n + " registers, got " + parts.size());
        }
        int[] at = new int[n];
        for (int i = 0; i < n; i++) {
            Slot r = result ? a.result(parts.get(i)) : a.source(parts.get(i), "b32");
            if (r.kind() != 'w' || r.bits() != 32) {
                throw a.error("operand " + (operand + 1) + ": expected registers of 32 bits, got ." + r.type());
            }
            at[i] = r.at();
        }
        return at;
    }

    private static Instruction ldmatrix(Assembly a, Statement s) {
        List<String> m = s.mods();
        boolean trans = s.has("trans");
        int n = s.has("x4") ? 4 : s.has("x2") ? 2 : 1;
        List<String> expected = new ArrayList<>(List.of("sync", "aligned", "m8n8", "x" + n));
        if (trans) {
            expected.add("trans");
        }
        expected.add(s.has("shared::cta") ? "shared::cta" : "shared");
        expected.add("b16");
        if (!m.equals(expected)) {
            throw a.refuse();
        }
        a.expectOperands(2, 2);
        if (!(a.operand(1) instanceof Operand.Address at)) {
            throw a.error("expected an address in brackets");
        }
        return new LdMatrix(words(a, 0, n, true), MemoryDecoder.base(a, at), trans);
    }
}
