// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;

/** Matrix products: a library's, which can add to what its result holds but knows no bias, so that the bias is written there before. */
final class Products {
    private Products() {}

    /** a, b and, where there is one, bias [N] to a' b' + bias. */
    static GpuKernel of(Instr i) {
        Shape y = i.result().shape();
        GpuKernel bias = i.in().size() == 3 ? Moves.broadcast(y, i.in().get(2).shape()) : null;
        return new GpuKernel(0, p -> {
            List<Step> steps = new ArrayList<>();
            List<Buffer> in = new ArrayList<>(List.of(p.in(0), p.in(1)));
            if (bias != null) {
                steps.addAll(bias.bind().apply(new GpuKernel.Chosen(List.of(p.in(2)), List.of(p.out(0)), p.scratch())));
                in.add(p.out(0));
            }
            steps.add(new LibraryCall(i.op(), new Epilogue(bias != null, false), in, List.of(p.out(0))));
            return steps;
        });
    }
}
