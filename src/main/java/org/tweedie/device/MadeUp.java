// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.program.DType;
import org.tweedie.program.Philox;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Outputs for a rehearsal, in which nothing is computed. They are positive and of about 1, so that what a solver makes of them
 * on the host stays finite and the solver goes on to its next program.
 */
public final class MadeUp {
    private MadeUp() {}

    /** Returns a tensor of the right shape for each output: numbers from 0.5 to 1.5, or zeros for whole numbers. */
    public static Map<String, Tensor> outputs(Program p) {
        Map<String, Tensor> out = new LinkedHashMap<>();
        p.outputs().forEach(o -> out.put(o.name(), tensor(o.value().type().dtype(), o.value().shape())));
        return out;
    }

    private static Tensor tensor(DType type, Shape shape) {
        int n = Math.toIntExact(shape.size());
        if (!type.isFloat()) {
            return Tensor.of(shape, new long[n]);
        }
        float[] x = new float[n];
        new Philox(1, Philox.Stream.INIT).uniforms(0, x);
        for (int i = 0; i < n; i++) {
            x[i] += 0.5f;
        }
        return Tensor.of(shape, x);
    }
}
