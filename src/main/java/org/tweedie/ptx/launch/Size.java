// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

/** The numbers of blocks, or of threads, along x, y and z. */
public record Size(int x, int y, int z) {
    public long count() {
        return (long) x * y * z;
    }

    @Override
    public String toString() {
        return "(" + x + "," + y + "," + z + ")";
    }
}
