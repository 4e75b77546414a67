// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

import java.util.List;
import org.tweedie.program.op.Op;

/** One step of a program. {@code where} is the place in the model that emitted it, in the checkpoint's names. */
public record Instr(Op op, List<Value> in, List<Value> out, String where) {
    /** The only result of an op that has one. */
    public Value result() {
        return out.getFirst();
    }

    @Override
    public String toString() {
        return out + " = " + op + in + (where.isEmpty() ? "" : "  // " + where);
    }
}
