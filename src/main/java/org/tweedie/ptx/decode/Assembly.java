// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.decode;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Layout;
import org.tweedie.ptx.execution.Registers;
import org.tweedie.ptx.execution.Slot;
import org.tweedie.ptx.execution.SpecialRegister;
import org.tweedie.ptx.text.Operand;
import org.tweedie.ptx.text.Parser;
import org.tweedie.ptx.text.PtxException;
import org.tweedie.ptx.text.PtxNumbers;
import org.tweedie.ptx.text.Statement;

/**
 * A kernel while it is decoded. It assigns each register, constant and variable its place. 16- and 32-bit registers share the
 * file of words (16 bits are zero-extended), 64-bit registers have a file of longs, and predicates are masks of lanes. A number
 * in an instruction becomes a register that is never written.
 */
public final class Assembly {
    private final String file;
    final Parser.Body body;
    private final Map<String, Slot> slots = new HashMap<>();
    private final Map<Integer, Slot> wordConstants = new HashMap<>();
    private final Map<Long, Slot> longConstants = new HashMap<>();
    private final Map<String, Slot> specials = new HashMap<>();
    private final Layout layout;
    private int words;
    private int longs;
    private int preds;
    private Statement at;
    private final List<Slot> reads = new ArrayList<>();
    private final List<Slot> writes = new ArrayList<>();

    public Assembly(String file, Parser.Body body, Layout layout) {
        this.file = file;
        this.body = body;
        this.layout = layout;
        body.registers().forEach((name, type) -> slots.put(name, slot(type)));
    }

    private Slot slot(String type) {
        return switch (type) {
            case "pred" -> new Slot('p', preds++, 1, type);
            case "b8", "u8", "s8", "b16", "u16", "s16", "f16", "bf16" -> new Slot('w', words++, 16, type);
            case "b32", "u32", "s32", "f32", "f16x2", "bf16x2" -> new Slot('w', words++, 32, type);
            case "b64", "u64", "s64", "f64" -> new Slot('l', longs++, 64, type);
            default -> throw new PtxException(file + ":" + body.line() + ": registers of type ." + type
                    + " are not known to this machine");
        };
    }

    public void begin(Statement s) {
        at = s;
        reads.clear();
        writes.clear();
    }

    /** Completes a decoded instruction: sets its source, its guard, and the registers that it reads and writes. */
    public Instruction end(Instruction op) {
        op.source = at;
        if (at.guard() != null) {
            op.guard = slot(at.guard(), 'p', false).index();
            op.guardNegated = at.guard().negated();
        }
        op.readsWords = indices(reads, 'w');
        op.readsLongs = indices(reads, 'l');
        op.readsPreds = indices(reads, 'p');
        op.writesWords = indices(writes, 'w');
        op.writesLongs = indices(writes, 'l');
        op.writesPreds = indices(writes, 'p');
        return op;
    }

    private static int[] indices(List<Slot> slots, char kind) {
        return slots.stream().filter(s -> s.kind() == kind).mapToInt(Slot::index).distinct().toArray();
    }

    PtxException error(String what) {
        return new PtxException(file + ":" + at.line() + ": " + at.name() + ": " + what);
    }

    PtxException refuse() {
        return new PtxException(file + ":" + at.line() + ": instruction '" + at.name() + "' is not known to this machine");
    }

    Operand operand(int n) {
        if (n >= at.operands().size()) {
            throw error("operand " + (n + 1) + " is missing");
        }
        return at.operands().get(n);
    }

    int operands() {
        return at.operands().size();
    }

    void expectOperands(int from, int to) {
        if (operands() < from || operands() > to) {
            throw error("expected " + (from == to ? "" + from : from + " to " + to) + " operands, got " + operands());
        }
    }

    /** Returns the register that an instruction's result goes to. */
    Slot result(Operand o) {
        if (!(sink(o, "b64") instanceof Operand.Reg r)) {
            throw error("the result must be a register, got " + o);
        }
        Slot s = slot(r, ' ', true);
        writes.add(s);
        return s;
    }

    int resultWord(Operand o) {
        return require(result(sink(o, "b32")), 'w').at();
    }

    int resultPred(Operand o) {
        return require(result(sink(o, "pred")), 'p').at();
    }

    /**
     * Returns a register that nothing reads, of the given type, for an operand written as _; returns any other operand as it is.
     */
    private Operand sink(Operand o, String type) {
        if (!(o instanceof Operand.Sink)) {
            return o;
        }
        String name = "_" + type;
        slots.computeIfAbsent(name, n -> slot(type));
        return new Operand.Reg(name, false);
    }

    private Slot require(Slot s, char kind) {
        if (s.kind() != kind) {
            throw error("expected a register of " + (kind == 'w' ? "16 or 32 bits" : kind == 'l' ? "64 bits" : "one bit (.pred)")
                    + ", got one of type ." + s.type());
        }
        return s;
    }

    /**
     * Returns the register for an operand of the given type: the register itself, or one that holds the number or address as a
     * constant.
     */
    Slot source(Operand o, String type) {
        Slot s = switch (o) {
            case Operand.Reg r -> slot(r, ' ', true);
            case Operand.Number n -> constant(n, type);
            case Operand.Symbol v -> constant(new Operand.Number(address(v.name()), 'i'), type);
            default -> throw error("unexpected operand " + o);
        };
        int bits = type.equals("pred") ? 1 : Math.max(16, 8 * PtxNumbers.bytes(type));
        if (s.bits() != bits && !(o instanceof Operand.Number || o instanceof Operand.Symbol)) {
            throw error("operand " + o + " is a register of type ." + s.type() + ", expected " + bits + " bits");
        }
        reads.add(s);
        return s;
    }

    int sourceWord(int n, String type) {
        return require(source(operand(n), type), 'w').at();
    }

    int sourcePred(int n) {
        return require(source(operand(n), "pred"), 'p').at();
    }

    /** Returns a register whatever its size is; ld, st and cvt may use wider registers than their type. */
    Slot any(Operand o) {
        if (!(o instanceof Operand.Reg r)) {
            throw error("expected a register, got " + o);
        }
        Slot s = slot(r, ' ', true);
        reads.add(s);
        return s;
    }

    private Slot constant(Operand.Number n, String type) {
        return switch (PtxNumbers.bytes(type)) {
            case 8 -> longConstant(type.equals("f64") && n.form() == 'f'
                    ? Double.doubleToRawLongBits(Float.intBitsToFloat((int) n.bits())) : n.bits());
            case 4 -> wordConstant(type.equals("f32") && n.form() == 'd'
                    ? Float.floatToRawIntBits((float) Double.longBitsToDouble(n.bits())) : (int) n.bits());
            case 2, 1 -> wordConstant((int) n.bits() & 0xFFFF);
            default -> throw error("a number cannot be of type ." + type);
        };
    }

    Slot wordConstant(int bits) {
        return wordConstants.computeIfAbsent(bits, b -> slot("b32"));
    }

    Slot longConstant(long bits) {
        return longConstants.computeIfAbsent(bits, b -> slot("b64"));
    }

    private Slot slot(Operand.Reg r, char kind, boolean specialsToo) {
        Slot s = slots.get(r.name());
        if (s == null && specialsToo && SpecialRegister.known(r.name())) {
            s = specials.computeIfAbsent(r.name(), n -> slot("b32"));
        }
        if (s == null) {
            throw error("register '" + r.name() + "' is not declared"
                    + (r.name().contains(".") ? " or not a special register of this machine" : ""));
        }
        return kind == ' ' ? s : require(s, kind);
    }

    /** Returns the index of the statement that follows a label. */
    int target(Operand o) {
        Integer t = o instanceof Operand.Symbol s ? body.labels().get(s.name()) : null;
        if (t == null) {
            throw error("label " + o + " is not defined");
        }
        return t;
    }

    /** Returns the address of a variable in its own space. */
    long address(String variable) {
        Long address = layout.address(variable);
        if (address == null) {
            throw error("variable '" + variable + "' is not defined");
        }
        return address;
    }

    Statement statement() {
        return at;
    }

    /** Returns how many registers there are, and the values of those that are never written. */
    public Registers registers() {
        return new Registers(words, longs, preds, slots, wordConstants, longConstants, specials);
    }
}
