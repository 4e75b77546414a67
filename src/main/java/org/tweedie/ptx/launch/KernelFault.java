// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

/** A kernel has broken a rule. The message names kernel, PTX line, block, thread and buffer. */
public final class KernelFault extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /** The rule that was broken, for tests and tools. */
    public enum Kind { OUT_OF_BOUNDS, MISALIGNED, UNINITIALISED, RACE, READ_ONLY, PENDING_COPY, BARRIER, TRAP, LIMIT }

    private final Kind kind;

    public KernelFault(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
