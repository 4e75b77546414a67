// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.launch.KernelFault;

/**
 * The instruction mma.sync m16n8k8 and m16n8k16 on f16 or bf16 with an f32 sum: D = A B + C, where A is [16,k] by rows, B is
 * [k,8] by columns, C and D are [16,8]. The hardware's order of summation is not specified; here the products are summed exactly
 * in double and rounded once.
 *
 * <p>The fragments are (PTX ISA, "Matrix fragments for mma.m16n8k16"), with g = lane / 4 and t = lane mod 4: A's registers hold
 * the pairs of columns from 2 t in rows g and g + 8, then the same pairs from 8 + 2 t; B's registers hold the pairs of rows from
 * 2 t, then from 8 + 2 t, in column g; C's registers hold columns 2 t and 2 t + 1 of row g, then of row g + 8.
 */
public final class Mma extends Instruction {
    private final int k;
    private final boolean bf16;
    private final int[] d;
    private final int[] a;
    private final int[] b;
    private final int[] c;

    public Mma(int k, boolean bf16, int[] d, int[] a, int[] b, int[] c) {
        this.k = k;
        this.bf16 = bf16;
        this.d = d;
        this.a = a;
        this.b = b;
        this.c = c;
    }

    @Override
    public void run(Warp w, int mask) {
        if (mask != -1) {
            throw w.block.fault(KernelFault.Kind.BARRIER, this, w, Integer.numberOfTrailingZeros(mask),
                    "needs all 32 threads of the warp");
        }
        float[] ma = new float[16 * k];
        float[] mb = new float[8 * k]; // [column][k]
        for (int lane = 0; lane < LANES; lane++) {
            int g = lane >> 2;
            int t = 2 * (lane & 3);
            for (int r = 0; r < a.length; r++) {
                int at = (g + 8 * (r & 1)) * k + t + 8 * (r >> 1);
                pair(w.words[a[r] + lane], ma, at);
            }
            for (int r = 0; r < b.length; r++) {
                pair(w.words[b[r] + lane], mb, g * k + t + 8 * r);
            }
        }
        for (int lane = 0; lane < LANES; lane++) {
            int g = lane >> 2;
            int t = 2 * (lane & 3);
            for (int r = 0; r < 4; r++) {
                int row = (g + 8 * (r >> 1)) * k;
                int column = (t + (r & 1)) * k;
                double sum = Float.intBitsToFloat(w.words[c[r] + lane]);
                for (int i = 0; i < k; i++) {
                    sum += (double) ma[row + i] * mb[column + i];
                }
                w.words[d[r] + lane] = Float.floatToRawIntBits((float) sum);
            }
        }
    }

    private void pair(int bits, float[] to, int at) {
        to[at] = Floats16.value(bits & 0xFFFF, bf16);
        to[at + 1] = Floats16.value(bits >>> 16, bf16);
    }
}
