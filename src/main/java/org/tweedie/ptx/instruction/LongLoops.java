// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Instruction;

/** Loops for the frequent instructions with a 64-bit result: address arithmetic, and doubles. */
public final class LongLoops {
    private LongLoops() {}

    /**
     * Returns the loop of an instruction, or null where there is none. The instruction's type says whether an operand is in the
     * file of words or of longs.
     */
    public static Instruction of(String name, int d, int a, int b, int c) {
        return switch (name) {
            case "add.s64", "add.u64" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = l[a + i] + l[b + i];
                    }
                }
            };
            case "mul.wide.s32" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = (long) w[a + i] * w[b + i];
                    }
                }
            };
            case "mul.wide.u32" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = (w[a + i] & 0xFFFFFFFFL) * (w[b + i] & 0xFFFFFFFFL);
                    }
                }
            };
            case "mad.wide.s32" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = (long) w[a + i] * w[b + i] + l[c + i];
                    }
                }
            };
            case "cvt.s64.s32" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i];
                    }
                }
            };
            case "cvt.u64.u32" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i] & 0xFFFFFFFFL;
                    }
                }
            };
            case "shl.b64" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = Integer.compareUnsigned(w[b + i], 63) > 0 ? 0 : l[a + i] << w[b + i];
                    }
                }
            };
            case "mov.b64", "mov.u64", "mov.s64", "mov.f64" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    System.arraycopy(l, a, to, d, LANES);
                }
            };
            default -> doubles(name, d, a, b, c);
        };
    }

    private static Instruction doubles(String name, int d, int a, int b, int c) {
        return switch (name) {
            case "add.f64", "add.rn.f64" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = Double.doubleToRawLongBits(Double.longBitsToDouble(l[a + i])
                                + Double.longBitsToDouble(l[b + i]));
                    }
                }
            };
            case "mul.f64", "mul.rn.f64" -> new Instruction.Wide(d) {
                @Override
                public void lanes(int[] w, long[] l, long[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = Double.doubleToRawLongBits(Double.longBitsToDouble(l[a + i])
                                * Double.longBitsToDouble(l[b + i]));
                    }
                }
            };
            default -> null;
        };
    }
}
