// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

import java.util.List;

/** An operand of an instruction as it was written. */
public sealed interface Operand {
    /** A special register, or a register by its name, which is unique in the kernel (names of inner scopes are made unique). */
    record Reg(String name, boolean negated) implements Operand {}

    /** The bits of a number, and whether it was written as 32-bit (0f) or 64-bit (0d) floating point. */
    record Number(long bits, char form) implements Operand {
        boolean isFloat() {
            return form != 'i';
        }
    }

    /** The address of a variable, parameter or label. */
    record Symbol(String name) implements Operand {}

    /** The operand [base + offset], where base is a register, a symbol or null. */
    record Address(Operand base, long offset) implements Operand {}

    /** The operand {a, b, ..}. */
    record Vector(List<Operand> parts) implements Operand {}

    /** The operand a|b, which stands for two results. */
    record Pair(Operand first, Operand second) implements Operand {}

    /** The operand _, which stands for a result that is not wanted. */
    record Sink() implements Operand {}
}
