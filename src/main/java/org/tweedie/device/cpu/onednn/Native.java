// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Accesses memory outside of the heap by address, as in C: kernels get addresses that the memory plan has checked. */
public final class Native {
    /** A segment of the whole address space. It is static and final, so that accesses compile to plain loads and stores. */
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    public static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    public static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** The bytes of a cache line and of the widest vector. */
    static final long ALIGN = 64;

    private Native() {}

    public static long roundUp(long bytes) {
        return (bytes + ALIGN - 1) / ALIGN * ALIGN;
    }
}
