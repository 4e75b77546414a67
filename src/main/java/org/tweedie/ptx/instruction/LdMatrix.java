// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Layout;
import org.tweedie.ptx.execution.Space;
import org.tweedie.ptx.execution.Traffic;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.Memory;

/**
 * The instruction ldmatrix, which loads 8 x 8 matrices of 16-bit elements from shared memory. Lanes 8 i .. 8 i + 7 give the
 * addresses of the rows of matrix i (16 bytes each). Lane l gets element 2 (l mod 4) and the next one of row l / 4, or with
 * .trans of column l / 4.
 */
public final class LdMatrix extends Instruction {
    private final int[] d;
    private final AddressOperand base;
    private final boolean trans;

    public LdMatrix(int[] d, AddressOperand base, boolean trans) {
        this.d = d;
        this.base = base;
        this.trans = trans;
    }

    @Override
    public void run(Warp w, int mask) {
        if (mask != -1) {
            throw w.block.fault(KernelFault.Kind.BARRIER, this, w, Integer.numberOfTrailingZeros(mask),
                    "needs all 32 threads of the warp");
        }
        Traffic t = w.block.traffic;
        if (t != null) {
            t.begin(16, false);
        }
        long[] rows = new long[8 * d.length];
        for (int i = 0; i < rows.length; i++) {
            long address = base.of(w, i) & Layout.SPACE;
            if (t != null) {
                t.lane(Space.SHARED, address);
            }
            rows[i] = w.block.shared.read(this, w, i, address, 16);
        }
        if (t != null) {
            t.end();
        }
        for (int i = 0; i < d.length; i++) {
            for (int lane = 0; lane < LANES; lane++) {
                int row = lane >> 2;
                int column = 2 * (lane & 3);
                int lo = trans ? element(rows, i, column, row) : element(rows, i, row, column);
                int hi = trans ? element(rows, i, column + 1, row) : element(rows, i, row, column + 1);
                w.words[d[i] + lane] = lo | hi << 16;
            }
        }
    }

    private static int element(long[] rows, int matrix, int row, int column) {
        return Memory.ALL.get(Memory.SHORT, rows[8 * matrix + row] + 2L * column) & 0xFFFF;
    }
}
