// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

import java.util.List;

/**
 * One instruction as it was written.
 *
 * @param guard the predicate register that guards it, or null
 * @param opcode the name up to the first dot
 * @param mods the parts of the name after the opcode, which dots separate
 */
public record Statement(int line, Operand.Reg guard, String opcode, List<String> mods, List<Operand> operands) {
    public boolean has(String mod) {
        return mods.contains(mod);
    }

    /** Returns the name in full. */
    public String name() {
        return mods.isEmpty() ? opcode : opcode + "." + String.join(".", mods);
    }

    /** Returns the last modifier, which is the type of the operation. */
    public String type() {
        return mods.isEmpty() ? "" : mods.getLast();
    }
}
