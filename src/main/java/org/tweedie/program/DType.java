// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

/**
 * The types of elements, named as in safetensors headers. Inside a {@link Program} only F32 (the real numbers of the device) and
 * I64 occur.
 */
public enum DType {
    BOOL(1), U8(1), I8(1), I16(2), U16(2), I32(4), U32(4), I64(8), U64(8), F16(2), BF16(2), F32(4), F64(8);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Size of one element in bytes. */
    public int bytes() {
        return bytes;
    }

    /** Tells whether the elements are floating-point numbers. */
    public boolean isFloat() {
        return this == F16 || this == BF16 || this == F32 || this == F64;
    }
}
