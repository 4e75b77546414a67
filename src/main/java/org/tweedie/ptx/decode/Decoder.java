// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.decode;

import java.util.List;
import java.util.Set;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Layout;
import org.tweedie.ptx.execution.Slot;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.instruction.Approximate;
import org.tweedie.ptx.instruction.Arithmetic;
import org.tweedie.ptx.instruction.Compare;
import org.tweedie.ptx.instruction.Control;
import org.tweedie.ptx.instruction.Convert;
import org.tweedie.ptx.instruction.Floats16;
import org.tweedie.ptx.instruction.Lanes;
import org.tweedie.ptx.instruction.LongLoops;
import org.tweedie.ptx.instruction.WordLoops;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.text.Operand;
import org.tweedie.ptx.text.PtxNumbers;
import org.tweedie.ptx.text.Statement;

/** Turns statements into instructions. An instruction that no case handles is refused by name. */
public final class Decoder {
    private static final Set<String> COMPARISONS = Set.of("eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ",
            "neu", "ltu", "leu", "gtu",
            "geu", "num", "nan");

    private static final Set<String> ONE_SOURCE = Set.of("abs", "neg", "not", "popc", "clz", "brev", "bfind", "sqrt", "rcp");
    private static final Set<String> THREE_SOURCES = Set.of("fma", "mad", "bfe", "shf");

    private Decoder() {}

    public static Instruction decode(Assembly a, Statement s) {
        return switch (s.opcode()) {
            case "ld", "st", "ldu" -> MemoryDecoder.access(a, s);
            case "mov" -> mov(a, s);
            case "cvt" -> cvt(a, s);
            case "cvta" -> cvta(a, s);
            case "setp" -> setp(a, s);
            case "selp" -> selp(a, s);
            case "bra" -> new Control.Branch(a.target(a.operand(0)));
            case "ret", "exit" -> new Control.Exit();
            case "trap" -> new Control.Trap();
            case "bar", "barrier" -> barrier(a, s);
            case "shfl", "vote", "activemask", "mma", "ldmatrix" -> WarpDecoder.decode(a, s);
            case "cp" -> MemoryDecoder.async(a, s);
            case "membar", "fence" -> new Instruction() {
                @Override
                public void run(Warp w, int mask) { } // each access takes effect at once
            };
            default -> arithmetic(a, s);
        };
    }

    private static Instruction barrier(Assembly a, Statement s) {
        if (s.name().equals("bar.warp.sync")) {
            a.expectOperands(1, 1);
            return new Control.WarpBarrier(a.sourceWord(0, "b32"));
        }
        boolean all = s.name().equals("bar.sync") || s.name().equals("barrier.sync.aligned") || s.name().equals("barrier.sync");
        if (!all || a.operands() != 1 || !(a.operand(0) instanceof Operand.Number n) || n.bits() != 0) {
            throw a.error("this machine supports only 'bar.sync 0', the barrier of all threads");
        }
        return new Control.Barrier();
    }

    private static Instruction mov(Assembly a, Statement s) {
        a.expectOperands(2, 2);
        if (a.operand(0) instanceof Operand.Vector v) {
            return Packing.unpack(a, s, v.parts());
        }
        if (a.operand(1) instanceof Operand.Vector v) {
            return Packing.pack(a, s, v.parts());
        }
        String type = s.type();
        if (type.equals("pred") && a.operand(1) instanceof Operand.Number n) {
            int all = n.bits() == 0 ? 0 : -1;
            return new Instruction.Pred(a.resultPred(a.operand(0))) {
                @Override
                public int lanes(Warp w) {
                    return all;
                }
            };
        }
        if (type.equals("pred")) {
            int p = a.sourcePred(1);
            return new Instruction.Pred(a.resultPred(a.operand(0))) {
                @Override
                public int lanes(Warp w) {
                    return w.preds[p];
                }
            };
        }
        Slot from = a.source(a.operand(1), type);
        Slot to = a.result(a.operand(0));
        if (to.bits() != from.bits() && !(a.operand(1) instanceof Operand.Number || a.operand(1) instanceof Operand.Symbol)) {
            throw a.error("moves " + from.bits() + " bits into a register of " + to.bits());
        }
        Instruction op = to.kind() == 'l' ? LongLoops.of("mov.b64", to.at(), from.at(), 0, 0) : WordLoops.of("mov.b32", to.at(),
                from.at(), 0, 0);
        if (to.kind() != (PtxNumbers.bytes(type) == 8 ? 'l' : 'w')) {
            throw a.error("the result is a register of type ." + to.type());
        }
        return op;
    }

    private static Instruction cvt(Assembly a, Statement s) {
        List<String> m = s.mods();
        if (m.size() < 2) {
            throw a.refuse();
        }
        String from = m.getLast();
        String to = m.get(m.size() - 2);
        String how = String.join(".", m.subList(0, m.size() - 2));
        if (to.equals("f16x2") || to.equals("bf16x2")) { // the first operand becomes the upper half
            if (!how.equals("rn") || !from.equals("f32")) {
                throw a.refuse();
            }
            a.expectOperands(3, 3);
            boolean bf = to.startsWith("b");
            Slot hi = a.source(a.operand(1), "f32");
            Slot lo = a.source(a.operand(2), "f32");
            return new Lanes((x, y, _) -> Floats16.bits(Float.intBitsToFloat((int) x), bf) << 16
                    | Floats16.bits(Float.intBitsToFloat((int) y), bf),
                    a.result(a.operand(0)), hi, lo);
        }
        a.expectOperands(2, 2);
        Lanes.Function f = Convert.of(to, from, how);
        if (f == null) {
            throw a.refuse();
        }
        Slot x = a.operand(1) instanceof Operand.Reg && Convert.isInt(from) ? a.any(a.operand(1)) : a.source(a.operand(1), from);
        Slot d = a.result(a.operand(0));
        if (x.bits() < 8 * PtxNumbers.bytes(from) || d.bits() < 8 * PtxNumbers.bytes(to)) {
            throw a.error("a register is narrower than its type");
        }
        Instruction fast = d.kind() == 'l' && x.kind() == 'w' && x.bits() == 32 ? LongLoops.of(s.name(), d.at(), x.at(), 0, 0)
                : d.kind() == 'w' && d.bits() == 32 && x.kind() == 'l' ? WordLoops.of(s.name(), d.at(), x.at(), 0, 0) : null;
        return fast != null ? fast : new Lanes(f, d, x);
    }

    /** Decodes cvta. Generic addresses carry their space in two high bits. */
    private static Instruction cvta(Assembly a, Statement s) {
        a.expectOperands(2, 2);
        if (!s.type().equals("u64")) {
            throw a.refuse();
        }
        boolean to = s.has("to");
        String space = s.mods().get(s.mods().size() - 2);
        long tag = switch (space) {
            case "global", "const" -> 0;
            case "shared" -> Layout.SHARED;
            case "local" -> Layout.LOCAL;
            default -> throw a.refuse();
        };
        Slot x = a.source(a.operand(1), "u64");
        Slot d = a.result(a.operand(0));
        return tag == 0 ? LongLoops.of("mov.b64", d.at(), x.at(), 0, 0) : new Lanes(to ? (v, _, _) -> v & Layout.SPACE
                : (v, _, _) -> v | tag, d, x);
    }

    private static Instruction setp(Assembly a, Statement s) {
        List<String> m = s.mods().stream().filter(x -> !x.equals("ftz")).toList();
        if (m.size() < 2 || m.size() > 3 || !COMPARISONS.contains(m.getFirst()) || PtxNumbers.bytes(m.getLast()) == 0
                || m.getLast().endsWith("x2")) {
            throw a.refuse();
        }
        String type = m.getLast();
        if (type.equals("f16") || type.equals("bf16")) {
            throw a.refuse();
        }
        Slot x = a.source(a.operand(1), type);
        Slot y = a.source(a.operand(2), type);
        Operand result = a.operand(0);
        Operand first = result instanceof Operand.Pair p ? p.first() : result;
        Compare c = new Compare(m.getFirst(), type, a.resultPred(first), x.at(), y.at(), x.kind() == 'l');
        if (m.size() == 2 && !(result instanceof Operand.Pair)) {
            a.expectOperands(3, 3);
            return c;
        }
        return combined(a, c, m.size() == 3 ? m.get(1) : null, result);
    }

    /** Decodes a setp that has a second result, or a predicate that the comparison is combined with. */
    private static Instruction combined(Assembly a, Compare c, String join, Operand result) {
        int p = join == null ? -1 : a.sourcePred(3);
        boolean not = join != null && a.operand(3) instanceof Operand.Reg r && r.negated();
        int second = result instanceof Operand.Pair pair ? a.resultPred(pair.second()) : -1;
        if (join != null && !Set.of("and", "or", "xor").contains(join)) {
            throw a.refuse();
        }
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                int holds = c.lanes(w);
                int other = join == null ? 0 : not ? ~w.preds[p] : w.preds[p];
                w.preds[c.d] = w.preds[c.d] & ~mask | join(holds, other) & mask;
                if (second >= 0) {
                    w.preds[second] = w.preds[second] & ~mask | join(~holds, other) & mask;
                }
            }

            private int join(int x, int y) {
                return join == null ? x : join.equals("and") ? x & y : join.equals("or") ? x | y : x ^ y;
            }
        };
    }

    private static Instruction selp(Assembly a, Statement s) {
        a.expectOperands(4, 4);
        String type = s.type();
        Slot x = a.source(a.operand(1), type);
        Slot y = a.source(a.operand(2), type);
        int p = a.sourcePred(3);
        Slot d = a.result(a.operand(0));
        if (d.kind() == 'w') {
            return WordLoops.select(d.at(), x.at(), y.at(), p);
        }
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int i = Integer.numberOfTrailingZeros(m);
                    w.longs[d.at() + i] = w.longs[((w.preds[p] >>> i & 1) != 0 ? x.at() : y.at()) + i];
                }
            }
        };
    }

    /** Decodes an instruction that reads one to three operands of one type and gives one result. */
    private static Instruction arithmetic(Assembly a, Statement s) {
        String type = s.type();
        String how = String.join(".", s.mods().subList(0, Math.max(0, s.mods().size() - 1)));
        if (type.equals("pred")) {
            return predicates(a, s);
        }
        Instruction special = specials(a, s, type, how);
        if (special != null) {
            return special;
        }
        Lanes.Function f = Arithmetic.of(s.opcode(), how, type);
        if (f == null) {
            throw a.refuse();
        }
        int operands = ONE_SOURCE.contains(s.opcode()) ? 2 : THREE_SOURCES.contains(s.opcode()) ? 4 : 3;
        if (a.operands() < operands) {
            a.operand(operands - 1);
        }
        a.expectOperands(operands, operands);
        boolean wide = how.equals("wide");
        Slot[] in = new Slot[a.operands() - 1];
        for (int i = 0; i < in.length; i++) {
            in[i] = a.source(a.operand(i + 1), operandType(s, type, wide, i));
        }
        Slot d = a.result(a.operand(0));
        int bits = List.of("popc", "clz", "bfind").contains(s.opcode()) ? 32 : wide ? 16 * PtxNumbers.bytes(type)
                : 8 * PtxNumbers.bytes(type);
        if (d.bits() != Math.max(16, bits)) {
            throw a.error("the result is a register of type ." + d.type() + ", expected " + bits + " bits");
        }
        int[] at = {in[0].at(), in.length > 1 ? in[1].at() : 0, in.length > 2 ? in[2].at() : 0};
        Instruction fast = d.kind() == 'l' ? LongLoops.of(s.name(), d.at(), at[0], at[1], at[2])
                : d.bits() == 32 ? WordLoops.of(s.name(), d.at(), at[0], at[1], at[2]) : null;
        return fast != null ? fast : new Lanes(f, d, in);
    }

    private static String operandType(Statement s, String type, boolean wide, int i) {
        return switch (s.opcode()) {
            case "shl", "shr" -> i == 1 ? "u32" : type;
            case "bfe", "shf" -> i > 0 && s.opcode().equals("bfe") ? "u32" : type;
            case "mad" -> wide && i == 2 ? type.charAt(0) + "" + 16 * PtxNumbers.bytes(type) : type;
            default -> type;
        };
    }

    /** Decodes an instruction whose operands follow no common rule; returns null for all others. */
    private static Instruction specials(Assembly a, Statement s, String type, String how) {
        boolean ftz = s.has("ftz");
        if (type.equals("f32")) {
            String name = s.opcode() + "." + how.replace(".ftz", "");
            if (Approximate.f32(name, ftz, MachineOptions.Approximation.NEAREST) != null) {
                Slot x = a.source(a.operand(1), "f32");
                return new Approximated(name, ftz, a.result(a.operand(0)), x, a.operands() > 2 ? a.source(a.operand(2), "f32")
                        : x);
            }
        }
        switch (s.name()) {
            case "prmt.b32" -> {
                return new Lanes(Arithmetic::permute, a.result(a.operand(0)), a.source(a.operand(1), "b32"),
                        a.source(a.operand(2), "b32"), a.source(a.operand(3), "b32"));
            }
            case "lop3.b32" -> {
                if (!(a.operand(4) instanceof Operand.Number table)) {
                    throw a.error("expected a number as the table");
                }
                return new Lanes(Arithmetic.lookup((int) table.bits()), a.result(a.operand(0)), a.source(a.operand(1), "b32"),
                        a.source(a.operand(2), "b32"),
                        a.source(a.operand(3), "b32"));
            }
            case "bfi.b32", "bfi.b64" -> {
                return Packing.insert(a, type);
            }
            default -> {
                return null;
            }
        }
    }

    private static Instruction predicates(Assembly a, Statement s) {
        int x = a.sourcePred(1);
        int y = a.operands() > 2 ? a.sourcePred(2) : x;
        int d = a.resultPred(a.operand(0));
        if (!Set.of("and", "or", "xor", "not").contains(s.opcode())) {
            throw a.refuse();
        }
        return new Instruction.Pred(d) {
            @Override
            public int lanes(Warp w) {
                int p = w.preds[x];
                int q = w.preds[y];
                return switch (s.opcode()) {
                    case "and" -> p & q;
                    case "or" -> p | q;
                    case "xor" -> p ^ q;
                    default -> ~p;
                };
            }
        };
    }

    /** An approximate instruction. The options of the launch say which result it gives. */
    private static final class Approximated extends Instruction {
        private final Lanes nearest;
        private final Lanes worst;

        Approximated(String name, boolean ftz, Slot d, Slot x, Slot y) {
            nearest = new Lanes(Approximate.f32(name, ftz, MachineOptions.Approximation.NEAREST), d, x, y);
            worst = new Lanes(Approximate.f32(name, ftz, MachineOptions.Approximation.WORST), d, x, y);
        }

        @Override
        public void run(Warp w, int mask) {
            (w.block.options.approximation() == MachineOptions.Approximation.WORST ? worst : nearest).run(w, mask);
        }
    }
}
