// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

/** Work of an op: floating-point operations (a multiply-add counts two) and bytes read and written once each. */
public record Cost(long flops, long bytes) {
    public static final Cost NONE = new Cost(0, 0);

    public Cost plus(Cost o) {
        return new Cost(flops + o.flops, bytes + o.bytes);
    }
}
