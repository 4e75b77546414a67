// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Value;
import org.tweedie.program.op.Binary;
import org.tweedie.program.op.Op;

/** The instructions that make and that read each value of a program, by number, and questions that patterns ask of them. */
public final class Uses {
    private final Program program;
    private final int[] maker;
    private final List<List<Integer>> readers = new ArrayList<>();
    private final Set<Integer> results = new TreeSet<>();

    /** Collects them. */
    public Uses(Program program) {
        this.program = program;
        maker = new int[program.values()];
        for (int v = 0; v < maker.length; v++) {
            maker[v] = -1;
            readers.add(new ArrayList<>());
        }
        for (int n = 0; n < program.body().size(); n++) {
            for (Value v : program.body().get(n).out()) {
                maker[v.id()] = n;
            }
            for (Value v : program.body().get(n).in()) {
                readers.get(v.id()).add(n);
            }
        }
        program.outputs().forEach(o -> results.add(o.value().id()));
    }

    /** The n-th instruction. */
    public Instr instr(int n) {
        return program.body().get(n);
    }

    /** The instruction that makes a value; -1 for inputs and constants. */
    public int maker(Value v) {
        return maker[v.id()];
    }

    /** The numbers of the instructions that read a value. */
    public List<Integer> readers(Value v) {
        return readers.get(v.id());
    }

    /** Tells whether a value is a result of the program. */
    public boolean isResult(Value v) {
        return results.contains(v.id());
    }

    /** Tells whether these instructions alone read the results of an instruction. */
    public boolean staysWithin(int n, Set<Integer> instrs) {
        return instr(n).out().stream().noneMatch(v -> isResult(v) || !instrs.containsAll(readers(v)));
    }

    /** Tells whether an instruction is such an operation of two operands. */
    public boolean is(int n, Binary.Kind kind) {
        return n >= 0 && instr(n).op().equals(new Binary(kind));
    }

    /** The op that makes a value, if it is of this kind; else null. */
    public <T extends Op> T op(Value v, Class<T> kind) {
        return maker(v) >= 0 && kind.isInstance(instr(maker(v)).op()) ? kind.cast(instr(maker(v)).op()) : null;
    }

    /** The k-th operand of the n-th instruction. */
    public Value in(int n, int k) {
        return instr(n).in().get(k);
    }
}
