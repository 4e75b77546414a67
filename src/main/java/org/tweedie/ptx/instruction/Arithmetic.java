// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.text.PtxNumbers;

/**
 * The meaning of the arithmetic instructions for one lane, as functions of the bits of their operands (words are zero-extended).
 * A function is null where the instruction is not known.
 */
public final class Arithmetic {
    private Arithmetic() {}

    /**
     * Returns the function of an instruction.
     *
     * @param how the modifiers between name and type, joined by dots
     */
    public static Lanes.Function of(String name, String how, String type) {
        return switch (type) {
            case "f32" -> FloatArithmetic.f32(name, how);
            case "f64" -> FloatArithmetic.f64(name, how);
            case "f16", "bf16" -> FloatArithmetic.half(name, how, type.equals("bf16"));
            case "f16x2", "bf16x2" -> {
                Lanes.Function f = FloatArithmetic.half(name, how, type.equals("bf16x2"));
                yield f == null ? null : Floats16.pairs(f);
            }
            case "pred" -> logic(name, 1);
            default -> integers(name, how, type);
        };
    }

    private static Lanes.Function integers(String name, String how, String type) {
        int bits = 8 * PtxNumbers.bytes(type);
        if (bits == 0) {
            return null;
        }
        boolean signed = type.startsWith("s");
        Lanes.Function f = switch (how) {
            case "" -> plain(name, bits, signed);
            case "lo", "hi", "wide" -> products(name, how, bits, signed);
            default -> null;
        };
        return f != null ? f : how.isEmpty() || how.startsWith("l") || how.startsWith("r") || how.startsWith("shiftamt")
                ? bitwise(name, how, bits, signed) : null;
    }

    /** Sign- or zero-extends the low bits. */
    static long extend(long x, int bits, boolean signed) {
        int unused = 64 - bits;
        return signed ? x << unused >> unused : x << unused >>> unused;
    }

    private static Lanes.Function plain(String name, int bits, boolean signed) {
        return switch (name) {
            case "add" -> (a, b, _) -> a + b;
            case "sub" -> (a, b, _) -> a - b;
            case "neg" -> (a, _, _) -> -a;
            case "abs" -> (a, _, _) -> Math.abs(extend(a, bits, true));
            case "min" -> (a, b, _) -> less(a, b, bits, signed) ? a : b;
            case "max" -> (a, b, _) -> less(a, b, bits, signed) ? b : a;
            case "div" -> (a, b, _) -> divide(extend(a, bits, signed), extend(b, bits, signed), signed);
            case "rem" -> (a, b, _) -> remainder(extend(a, bits, signed), extend(b, bits, signed), signed);
            default -> null;
        };
    }

    private static boolean less(long a, long b, int bits, boolean signed) {
        long flip = signed ? 0 : Long.MIN_VALUE;
        return (extend(a, bits, signed) ^ flip) < (extend(b, bits, signed) ^ flip);
    }

    /** Divides. A division by zero gives all ones, as on GPUs; the ISA leaves the result open. */
    private static long divide(long a, long b, boolean signed) {
        return b == 0 ? -1 : signed ? a / b : Long.divideUnsigned(a, b);
    }

    private static long remainder(long a, long b, boolean signed) {
        return b == 0 ? a : signed ? a % b : Long.remainderUnsigned(a, b);
    }

    private static Lanes.Function products(String name, String how, int bits, boolean signed) {
        Lanes.Function product = switch (how) {
            case "lo" -> (a, b, _) -> a * b;
            case "wide" -> bits == 64 ? null : (a, b, _) -> extend(a, bits, signed) * extend(b, bits, signed);
            default -> bits == 64 ? signed ? (a, b, _) -> Math.multiplyHigh(a, b) : (a, b, _) -> Math.unsignedMultiplyHigh(a, b)
                    : (a, b, _) -> extend(a, bits, signed) * extend(b, bits, signed) >> bits;
        };
        return product == null ? null : switch (name) {
            case "mul" -> product;
            case "mad" -> (a, b, c) -> product.of(a, b, 0) + c;
            default -> null;
        };
    }

    private static Lanes.Function logic(String name, int bits) {
        return switch (name) {
            case "and" -> (a, b, _) -> a & b;
            case "or" -> (a, b, _) -> a | b;
            case "xor" -> (a, b, _) -> a ^ b;
            case "not" -> (a, _, _) -> bits == 1 ? a ^ 1 : ~a;
            case "mov" -> (a, _, _) -> a;
            default -> null;
        };
    }

    private static Lanes.Function bitwise(String name, String how, int bits, boolean signed) {
        return switch (name + (how.isEmpty() ? "" : "." + how)) {
            case "shl" -> (a, b, _) -> shift(b) >= bits ? 0 : a << b;
            case "shr" -> (a, b, _) -> extend(a, bits, signed) >> Math.min(shift(b), signed ? bits - 1 : 63) & (signed
                    || shift(b) < bits ? -1 : 0);
            case "popc" -> (a, _, _) -> Long.bitCount(a);
            case "clz" -> (a, _, _) -> Long.numberOfLeadingZeros(a) - (64 - bits);
            case "brev" -> (a, _, _) -> Long.reverse(a) >>> 64 - bits;
            case "bfind" -> (a, _, _) -> 63 - Long.numberOfLeadingZeros(signed && extend(a, bits, true) < 0
                    ? ~extend(a, bits, true) : a);
            case "bfe" -> (a, b, c) -> field(extend(a, bits, signed), (int) b & 255, (int) c & 255, bits, signed);
            case "shf.l.wrap" -> (a, b, c) -> (b << 32 | a) << (c & 31) >>> 32;
            case "shf.r.wrap" -> (a, b, c) -> (b << 32 | a) >>> (c & 31);
            case "shf.l.clamp" -> (a, b, c) -> shift(c) >= 32 ? a : (b << 32 | a) << shift(c) >>> 32;
            case "shf.r.clamp" -> (a, b, c) -> shift(c) >= 32 ? b : (b << 32 | a) >>> shift(c);
            default -> logic(name, bits);
        };
    }

    /** Limits a shift amount, which is an unsigned word. */
    private static int shift(long n) {
        return (int) Math.min(n & 0xFFFFFFFFL, 64);
    }

    private static long field(long a, int from, int length, int bits, boolean signed) {
        if (length == 0) {
            return 0;
        }
        long sign = signed && a >>> Math.min(from + length - 1, bits - 1) % 64 != 0
                && (a >>> Math.min(from + length - 1, bits - 1) & 1) == 1 ? -1 : 0;
        long v = from >= bits ? sign : a >> from;
        return length >= 64 ? v : v & (1L << length) - 1 | sign << length;
    }

    /** Implements prmt: it picks four of the eight bytes of b:a by the digits of c; bit 3 of a digit spreads the byte's sign. */
    public static long permute(long a, long b, long c) {
        long bytes = b << 32 | a;
        long out = 0;
        for (int i = 0; i < 4; i++) {
            int digit = (int) (c >>> 4 * i) & 15;
            long v = bytes >>> 8 * (digit & 7) & 0xFF;
            out |= ((digit & 8) != 0 ? (v & 0x80) != 0 ? 0xFFL : 0 : v) << 8 * i;
        }
        return out;
    }

    /** Implements lop3: each bit of the result is the table's entry at the bits of a, b and c. */
    public static Lanes.Function lookup(int table) {
        return (a, b, c) -> {
            long out = 0;
            for (int i = 0; i < 8; i++) {
                if ((table >>> i & 1) != 0) {
                    out |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
                }
            }
            return out;
        };
    }
}
