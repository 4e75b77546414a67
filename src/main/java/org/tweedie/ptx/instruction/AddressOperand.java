// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Warp;

/**
 * An address in brackets: a register or none, plus an offset.
 *
 * @param register the first lane of the register, or -1 where there is none
 * @param wide whether the register has 64 bits
 */
public record AddressOperand(int register, boolean wide, long offset) {
    public long of(Warp w, int lane) {
        return offset + (register < 0 ? 0 : wide ? w.longs[register + lane] : w.words[register + lane] & 0xFFFFFFFFL);
    }
}
