// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.DotProductAttentionVjp;

/**
 * Launches kernels/attention_mma.cu (tensor cores: F16 and BF16, heads of a multiple of 8 up to 160),
 * kernels/attention_wide.cu (the same, beyond 160) and kernels/attention_fma.cu (F32 arithmetic: all others). lse and the
 * pull-back's row sums are F32 whatever the storage.
 */
public final class AttentionKernels {
    private AttentionKernels() {}

    /** Computes o and lse from q, k, v. */
    public static GpuKernel forward(DotProductAttention op, List<Type> in) {
        return GpuKernel.of(p -> forward(new AttentionLaunch(op, p.in(0), p.in(1)), p));
    }

    private static Launch forward(AttentionLaunch a, GpuKernel.Places p) {
        return a.of("forward", false, 1, 4, 1, in(p, 0), in(p, 1), in(p, 2), out(p, 0), out(p, 1));
    }

    /** Computes dq and, where those of the keys are wanted, dk and dv from q, k, v, o, lse, do. */
    public static GpuKernel vjp(DotProductAttentionVjp op, List<Type> in) {
        Shape q = in.get(0).shape();
        Shape rows = Shape.of(q.dim(0), op.of().heads(), q.dim(1));
        return new GpuKernel(op.keys() ? 4 * rows.size() : 0, p -> {
            AttentionLaunch a = new AttentionLaunch(op.of(), p.in(0), p.in(1));
            Buffer delta = op.keys() ? new Buffer("delta", DType.F32, rows, p.scratch()) : null;
            List<PlanStep> steps = new ArrayList<>();
            steps.add(a.of("vjp_queries", false, 2, 4, 1, in(p, 0), in(p, 1), in(p, 2), in(p, 3), in(p, 4), in(p, 5), out(p, 0),
                    delta == null ? new Arg.None() : new Arg.Out(delta)));
            if (delta != null) {
                steps.add(a.of("vjp_keys", true, 2, 4, 2, in(p, 0), in(p, 1), in(p, 2), in(p, 4), in(p, 5), new Arg.In(delta),
                        out(p, 1), out(p, 2)));
            }
            return steps;
        });
    }

    /** Computes the tangent of o from q, k, v, o, lse, tq and, where keys have tangents, tk and tv. */
    public static GpuKernel jvp(DotProductAttentionJvp op, List<Type> in) {
        return GpuKernel.of(p -> new AttentionLaunch(op.of(), p.in(0), p.in(1)).of("tangent", false, 2, op.keys() ? 8 : 4,
                op.keys() ? 2 : 1,
                in(p, 0), in(p, 1), in(p, 2), in(p, 3), in(p, 4), in(p, 5), tangent(op, p, 6), tangent(op, p, 7), out(p, 0)));
    }

    /**
     * Computes o, lse and the tangent of o from q, k, v, tq and, where keys have tangents, tk and tv. One launch does so, but for
     * heads beyond 160 on tensor cores, which take two.
     */
    public static GpuKernel dual(DotProductAttentionJvp op) {
        return new GpuKernel(0, p -> {
            AttentionLaunch a = new AttentionLaunch(op.of(), p.in(0), p.in(1));
            int tiles = op.keys() ? 8 : 4;
            if (a.wide()) {
                return List.of(forward(a, p), a.of("tangent", false, 2, tiles, op.keys() ? 2 : 1, in(p, 0), in(p, 1), in(p, 2),
                        new Arg.In(p.out(0)), new Arg.In(p.out(1)), in(p, 3), tangent(op, p, 4), tangent(op, p, 5), out(p, 2)));
            }
            return List.of(a.of("jvp", false, 2, tiles, 1, in(p, 0), in(p, 1), in(p, 2), in(p, 3), tangent(op, p, 4),
                    tangent(op, p, 5),
                    out(p, 0), out(p, 1), out(p, 2)));
        });
    }

    private static Arg in(GpuKernel.Places p, int i) {
        return new Arg.In(p.in(i));
    }

    private static Arg out(GpuKernel.Places p, int i) {
        return new Arg.Out(p.out(i));
    }

    private static Arg tangent(DotProductAttentionJvp op, GpuKernel.Places p, int i) {
        return op.keys() ? in(p, i) : new Arg.None();
    }
}
