// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.Shape;
import org.tweedie.program.op.GroupNormalization;

/** Launches kernels/layernorm.cu, a warp per row: group norm of one group at one place is layer norm. */
final class LayerNormKernels {
    private static final int THREADS = 128;
    /** The longest row that a warp's registers hold. */
    private static final int MAX = 1280;

    private LayerNormKernels() {}

    /** Tells whether it is a layer norm whose rows are whole vectors in every type. */
    static boolean fits(GroupNormalization op, Shape x) {
        int c = x.dim(-1);
        return op.groups() == 1 && !op.silu() && x.size() == (long) x.dim(0) * c && c % 8 == 0 && c <= MAX;
    }

    static GpuKernel of(GroupNormalization op, Shape x, NormKernels.Form form) {
        return GpuKernel.of(p -> {
            List<Arg> args = new ArrayList<>(form.args(p));
            if (form.isVjp()) {
                args.remove(2); // beta
            }
            args.addAll(List.of(new Arg.I32(x.dim(0)), new Arg.I32(x.dim(-1)), new Arg.F32((float) op.eps())));
            return new Launch("layernorm", "layernorm_" + form.entry() + "_" + form.type(p), Launch.blocks(32L * x.dim(0),
                    THREADS),
                    Launch.Dim.of(THREADS), 0, args);
        });
    }
}
