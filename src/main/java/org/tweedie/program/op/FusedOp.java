// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * An op that simpler ops can replace: it exists because one kernel computes it faster. A device that has no kernel for a fused
 * op gets the program with the decomposition in its place (transform.Decompose). So a new fused op needs its record and its loop
 * on the reference device; kernels can follow.
 */
public non-sealed interface FusedOp extends Op {
    /** Emits the same results from simpler ops. */
    @Override
    Value[] decompose(Tracer t, List<Value> in);
}
