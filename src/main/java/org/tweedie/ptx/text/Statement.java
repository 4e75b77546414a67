// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

import java.util.List;

/**
 * One instruction as written.
 *
 * @param guard the predicate register before it, or null
 * @param opcode its name up to the first dot
 * @param mods what follows, between dots
 */
public record Statement(int line, Operand.Reg guard, String opcode, List<String> mods, List<Operand> operands) {
    public boolean has(String mod) {
        return mods.contains(mod);
    }

    /** The name in full. */
    public String name() {
        return mods.isEmpty() ? opcode : opcode + "." + String.join(".", mods);
    }

    /** The last modifier: the type of the operation. */
    public String type() {
        return mods.isEmpty() ? "" : mods.getLast();
    }
}
