// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

/**
 * A register's place in the files of registers.
 *
 * @param kind 'w' for the file of words, 'l' for that of longs, 'p' for that of predicates
 * @param index the register's number in its file
 * @param bits the register's width
 */
record Slot(char kind, int index, int bits, String type) {
    /** Returns the index of the register's first lane; a predicate register is one mask of lanes. */
    int at() {
        return kind == 'p' ? index : index * Op.LANES;
    }
}
