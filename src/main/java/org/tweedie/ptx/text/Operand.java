// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

import java.util.List;

/** What an instruction works on, as written. */
public sealed interface Operand {
    /** A register, by its unique name in the kernel (names of inner scopes are made unique), or a special register. */
    record Reg(String name, boolean negated) implements Operand {}

    /** A number: its bits, and whether it was written as 32-bit (0f) or 64-bit (0d) floating point. */
    record Number(long bits, char form) implements Operand {
        boolean isFloat() {
            return form != 'i';
        }
    }

    /** The address of a variable, parameter or label. */
    record Symbol(String name) implements Operand {}

    /** [base + offset]; base is a register, a symbol or null. */
    record Address(Operand base, long offset) implements Operand {}

    /** {a, b, ..}. */
    record Vector(List<Operand> parts) implements Operand {}

    /** a|b: two results. */
    record Pair(Operand first, Operand second) implements Operand {}

    /** _: a result that is not wanted. */
    record Sink() implements Operand {}
}
