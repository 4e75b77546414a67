// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

import java.util.Arrays;
import java.util.List;
import org.tweedie.program.op.Cost;
import org.tweedie.program.op.Op;

/** One step of a program. {@code where} is the place in the model that emitted it, in the checkpoint's names. */
public record Instr(Op op, List<Value> in, List<Value> out, String where) {
    /** The only result of an op that has one. */
    public Value result() {
        return out.getFirst();
    }

    /** Work of one execution. */
    public Cost cost() {
        return op.cost(in.stream().map(Value::type).toList(), out.stream().map(Value::type).toList());
    }

    /**
     * The block of the model that the instruction belongs to: its place up to and including the n-th number in it, as in {@code
     * down_blocks.0} or, with the second number, {@code down_blocks.0.resnets.1}. A place with fewer numbers is a block itself
     * up to its last number, or whole if it has none; a place that is not known is empty.
     */
    public String block(int numbers) {
        String[] parts = where.split("\\.");
        int end = parts.length;
        int seen = 0;
        for (int i = 0; i < parts.length && seen < numbers; i++) {
            if (!parts[i].isEmpty() && parts[i].chars().allMatch(Character::isDigit)) {
                seen++;
                end = i + 1;
            }
        }
        return String.join(".", Arrays.asList(parts).subList(0, end));
    }

    @Override
    public String toString() {
        return out + " = " + op + in + (where.isEmpty() ? "" : "  // " + where);
    }
}
