// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.Shape;

/**
 * Launches kernels/softmax.cu: softmax along the last axis, a warp for a short row, a block for a long one. It may run in place.
 */
public final class SoftmaxKernels {
    /** The longest row that a warp takes. */
    private static final int SHORT = 256;

    private SoftmaxKernels() {}

    /** Computes the softmax of each row of x. */
    public static GpuKernel forward(Shape x) {
        return GpuKernel.of(p -> launch("softmax_forward", x, Reals.type("softmax", p.in(0), p.out(0)), new Arg.In(p.in(0)),
                new Arg.Out(p.out(0))));
    }

    private static Launch launch(String entry, Shape x, String type, Arg... buffers) {
        int n = x.dim(-1);
        int rows = Math.toIntExact(x.size() / n);
        List<Arg> args = new ArrayList<>(List.of(buffers));
        if (n > SHORT) {
            args.add(new Arg.I32(n));
            return new Launch("softmax", entry + "_long_" + type, Launch.Dim.of(rows), Launch.Dim.of(256), 0, args);
        }
        args.addAll(List.of(new Arg.I32(rows), new Arg.I32(n)));
        return new Launch("softmax", entry + "_" + type, Launch.blocks(32L * rows, 128), Launch.Dim.of(128), 0, args);
    }
}
