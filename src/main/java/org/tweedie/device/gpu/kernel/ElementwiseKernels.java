// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.List;
import java.util.Locale;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.Binary;

/** Launches kernels/elementwise.cu: arithmetic element by element with numpy's broadcasting, and casts. */
public final class ElementwiseKernels {
    private static final int THREADS = 256;

    private ElementwiseKernels() {}

    /** y = scale x + shift; in place if need be. */
    public static GpuKernel affine(double scale, double shift, long n) {
        return GpuKernel.of(p -> {
            String type = type("affine", p.in(0), p.out(0));
            return launch("affine_forward_" + type, (n + lanes(p.out(0)) - 1) / lanes(p.out(0)), new Arg.In(p.in(0)),
                    new Arg.Out(p.out(0)),
                    new Arg.I64(n), new Arg.F32((float) scale), new Arg.F32((float) shift));
        });
    }

    /** z = x (kind) y; in place of an operand of the same shape if need be. */
    public static GpuKernel binary(Binary.Kind kind, Shape out, Shape x, Shape y) {
        Axes axes = Axes.broadcast(out, x, y);
        String name = kind.name().toLowerCase(Locale.ROOT);
        return GpuKernel.of(p -> {
            String type = type(name, p.in(0), p.in(1), p.out(0));
            int v = lanes(p.out(0));
            boolean wide = axes.inner().extent() % v == 0;
            Axes a = wide ? axes.vectors(v) : axes;
            return launch(name + "_forward" + (wide ? "_wide_" : "_") + type, a.size(), new Arg.In(p.in(0)), new Arg.In(p.in(1)),
                    new Arg.Out(p.out(0)), count(a.size()), a.arg());
        });
    }

    /** y = x + bias, rounded once; operands x [..,C], then bias [C] where there is one; in place of x if need be. */
    public static GpuKernel residual(Shape x, boolean bias) {
        return GpuKernel.of(p -> {
            Arg b = bias ? new Arg.In(p.in(1)) : new Arg.None();
            String type = type("residual", p.in(0), p.out(0));
            int v = x.dim(-1) % lanes(p.out(0)) == 0 ? lanes(p.out(0)) : 1;
            return launch("residual_forward" + (v > 1 ? "_wide_" : "_") + type, x.size() / v, new Arg.In(p.in(0)), b,
                    new Arg.Out(p.out(0)),
                    count(x.size() / v), Divisor.of(x.dim(-1) / v).arg());
        });
    }

    /** y = x in the type of y; one of the two types is F32. */
    public static Launch cast(Buffer x, Buffer y) {
        if (x.size() != y.size() || (x.dtype() == DType.F32) == (y.dtype() == DType.F32)) {
            throw new IllegalArgumentException("cast: expected buffers of one size, one of them F32, got " + x + " and " + y);
        }
        return launch("cast_" + type("cast", x) + "_" + type("cast", y), (x.size() + 7) / 8, new Arg.In(x), new Arg.Out(y),
                new Arg.I64(x.size()));
    }

    /** A launch with a thread for each of n items. */
    private static Launch launch(String entry, long n, Arg... args) {
        return new Launch("elementwise", entry, Launch.blocks(n, THREADS), Launch.Dim.of(THREADS), 0, List.of(args));
    }

    private static Arg count(long n) {
        return new Arg.I32(Math.toIntExact(n));
    }

    /** The number of elements in 16 bytes. */
    private static int lanes(Buffer b) {
        return 16 / b.dtype().bytes();
    }

    /**
     * The real type that all buffers share, in the form in which names of entry points end; the kernels read and write 16 bytes
     * at a time from the first byte on.
     */
    private static String type(String who, Buffer... all) {
        for (Buffer b : all) {
            if (b.dtype() != all[0].dtype() || b.dtype() != DType.F32 && b.dtype() != DType.F16 && b.dtype() != DType.BF16) {
                throw new IllegalArgumentException(who + ": expected one of F32, F16 and BF16 for all, got " + List.of(all));
            }
            if (b.address() % 16 != 0) {
                throw new IllegalArgumentException(who + ": expected buffers at multiples of 16 bytes, got " + b + " at "
                        + b.address());
            }
        }
        return all[0].dtype().name().toLowerCase(Locale.ROOT);
    }
}
