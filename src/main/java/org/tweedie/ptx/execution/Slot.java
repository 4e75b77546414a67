// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

/**
 * A register's place in the files of registers.
 *
 * @param kind 'w' for the file of words, 'l' for that of longs, 'p' for that of predicates
 * @param index the register's number in its file
 * @param bits the register's width
 */
public record Slot(char kind, int index, int bits, String type) {
    /** Returns the index of the register's first lane; a predicate register is one mask of lanes. */
    public int at() {
        return kind == 'p' ? index : index * Instruction.LANES;
    }
}
