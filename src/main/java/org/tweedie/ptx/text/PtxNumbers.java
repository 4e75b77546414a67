// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

/** Parses PTX's literals and knows the sizes of its types. */
public final class PtxNumbers {
    private PtxNumbers() {}

    /**
     * Parses a literal.
     *
     * @throws NumberFormatException when the text is not a number
     */
    static Operand.Number operand(String text) {
        if (text.length() == 10 && (text.startsWith("0f") || text.startsWith("0F"))) {
            return new Operand.Number(Long.parseLong(text.substring(2), 16), 'f');
        }
        if (text.length() == 18 && (text.startsWith("0d") || text.startsWith("0D"))) {
            return new Operand.Number(Long.parseUnsignedLong(text.substring(2), 16), 'd');
        }
        if (text.contains(".")) {
            return new Operand.Number(Double.doubleToRawLongBits(Double.parseDouble(text)), 'd');
        }
        return new Operand.Number(parse(text), 'i');
    }

    static long parse(String text) {
        String t = text.endsWith("U") ? text.substring(0, text.length() - 1) : text;
        if (t.startsWith("0x") || t.startsWith("0X")) {
            return Long.parseUnsignedLong(t.substring(2), 16);
        }
        if (t.startsWith("0b") || t.startsWith("0B")) {
            return Long.parseUnsignedLong(t.substring(2), 2);
        }
        return t.length() > 1 && t.startsWith("0") ? Long.parseUnsignedLong(t, 8) : Long.parseUnsignedLong(t);
    }

    /** Returns the bytes of a type in memory, or 0 where it has no size. */
    public static int bytes(String type) {
        return switch (type) {
            case "b8", "u8", "s8" -> 1;
            case "b16", "u16", "s16", "f16", "bf16" -> 2;
            case "b32", "u32", "s32", "f32", "f16x2", "bf16x2", "tf32" -> 4;
            case "b64", "u64", "s64", "f64" -> 8;
            default -> 0;
        };
    }
}
