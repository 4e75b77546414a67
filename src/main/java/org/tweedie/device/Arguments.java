// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.Map;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;

/** Checks the tensors that a caller gives to a run. */
public final class Arguments {
    private Arguments() {}

    /** @throws IllegalArgumentException naming the input that is missing, unknown or does not fit */
    public static void check(Program p, Map<String, Tensor> inputs) {
        for (Program.Input i : p.inputs()) {
            Tensor x = inputs.get(i.name());
            if (x == null) {
                throw new IllegalArgumentException(p.name() + ": input '" + i.name() + "' " + i.value().type() + " is missing");
            }
            if (!x.shape().equals(i.value().shape()) || x.dtype().isFloat() != i.value().type().dtype().isFloat()) {
                throw new IllegalArgumentException(p.name() + ": input '" + i.name() + "' expected " + i.value().type() + ", got "
                        + x);
            }
        }
        for (String name : inputs.keySet()) {
            if (p.inputs().stream().noneMatch(i -> i.name().equals(name))) {
                throw new IllegalArgumentException(p.name() + ": unknown input '" + name + "'; it takes "
                        + p.inputs().stream().map(Program.Input::name).toList());
            }
        }
    }
}
