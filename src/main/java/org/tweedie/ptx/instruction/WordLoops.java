// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Warp;

/**
 * Loops for the frequent instructions with a 32-bit result. Each instruction has a loop of its own, so that the JVM compiles it
 * well.
 */
public final class WordLoops {
    private WordLoops() {}

    /** Returns the loop of an instruction, or null where there is none. */
    public static Instruction of(String name, int d, int a, int b, int c) {
        return switch (name) {
            case "add.s32", "add.u32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i] + w[b + i];
                    }
                }
            };
            case "sub.s32", "sub.u32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i] - w[b + i];
                    }
                }
            };
            case "mul.lo.s32", "mul.lo.u32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i] * w[b + i];
                    }
                }
            };
            case "mad.lo.s32", "mad.lo.u32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i] * w[b + i] + w[c + i];
                    }
                }
            };
            case "and.b32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i] & w[b + i];
                    }
                }
            };
            case "or.b32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = w[a + i] | w[b + i];
                    }
                }
            };
            case "mov.b32", "mov.u32", "mov.s32", "mov.f32", "mov.b16", "mov.u16", "mov.s16" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    System.arraycopy(w, a, to, d, LANES);
                }
            };
            case "cvt.u32.u64", "cvt.s32.s64", "cvt.s32.u64", "cvt.u32.s64" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = (int) l[a + i];
                    }
                }
            };
            default -> floats(name, d, a, b, c);
        };
    }

    private static Instruction floats(String name, int d, int a, int b, int c) {
        return switch (name) {
            case "add.f32", "add.rn.f32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = Float.floatToRawIntBits(Float.intBitsToFloat(w[a + i]) + Float.intBitsToFloat(w[b + i]));
                    }
                }
            };
            case "sub.f32", "sub.rn.f32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = Float.floatToRawIntBits(Float.intBitsToFloat(w[a + i]) - Float.intBitsToFloat(w[b + i]));
                    }
                }
            };
            case "mul.f32", "mul.rn.f32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = Float.floatToRawIntBits(Float.intBitsToFloat(w[a + i]) * Float.intBitsToFloat(w[b + i]));
                    }
                }
            };
            case "fma.rn.f32" -> new Instruction.Word(d) {
                @Override
                public void lanes(int[] w, long[] l, int[] to, int d) {
                    for (int i = 0; i < LANES; i++) {
                        to[d + i] = Float.floatToRawIntBits(Math.fma(Float.intBitsToFloat(w[a + i]),
                                Float.intBitsToFloat(w[b + i]), Float.intBitsToFloat(w[c + i])));
                    }
                }
            };
            default -> null;
        };
    }

    /** Returns the instruction that selects a or b by a predicate. */
    public static Instruction select(int d, int a, int b, int p) {
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                int yes = w.preds[p];
                for (int m = mask; m != 0; m &= m - 1) {
                    int i = Integer.numberOfTrailingZeros(m);
                    w.words[d + i] = w.words[((yes >>> i & 1) != 0 ? a : b) + i];
                }
            }
        };
    }
}
