// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.DType;

/**
 * Launches kernels/sampler.cu: Tweedie's mean, DDIM steps and guidance, one pass each. Latents and scalars are F32, what
 * comes from the network is F32, F16 or BF16.
 */
public final class SamplerKernels {
    private static final int THREADS = 128;

    private SamplerKernels() {}

    /** Computes zbar = (z - sigma eps) / sqrt(abar) from z, eps, sigma [], sqrt_abar []. */
    public static GpuKernel tweedie() {
        return GpuKernel.of(p -> {
            Buffer z = p.in(0);
            Buffer eps = p.in(1);
            latents("tweedie", z.size(), z, p.out(0));
            size("tweedie", z.size(), eps);
            latents("tweedie", 1, p.in(2), p.in(3));
            return launch("tweedie_forward", eps, z.size(), new Arg.In(z), new Arg.In(eps), new Arg.In(p.in(2)),
                    new Arg.In(p.in(3)), new Arg.Out(p.out(0)),
                    new Arg.I64(z.size()));
        });
    }

    /**
     * Computes a latent at another level, which may take the place of z, from z, eps, sigma and sqrt_abar of the level of z,
     * sqrt_abar and sigma of the other.
     */
    public static GpuKernel ddim() {
        return GpuKernel.of(p -> {
            Buffer z = p.in(0);
            latents("ddim", z.size(), z, p.out(0));
            size("ddim", z.size(), p.in(1));
            latents("ddim", 1, p.in(2), p.in(3), p.in(4), p.in(5));
            List<Arg> args = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                args.add(new Arg.In(p.in(i)));
            }
            args.addAll(List.of(new Arg.Out(p.out(0)), new Arg.I64(z.size())));
            return launch("ddim_forward", p.in(1), z.size(), args.toArray(Arg[]::new));
        });
    }

    /** Computes eps = without + w (with - without) from [without ; with]; both have one type. */
    public static GpuKernel guidance(double w) {
        return GpuKernel.of(p -> {
            Buffer both = p.in(0);
            Buffer eps = p.out(0);
            halves("guidance", both, eps);
            return launch("guidance_forward", both, eps.size(), new Arg.In(both), new Arg.Out(eps), new Arg.I64(eps.size()),
                    new Arg.F32((float) w));
        });
    }

    /** Computes [c - w c ; w c] from c; both have one type. */
    public static GpuKernel guidanceVjp(double w) {
        return GpuKernel.of(p -> {
            Buffer c = p.in(0);
            Buffer both = p.out(0);
            halves("guidance pull-back", both, c);
            return launch("guidance_vjp", both, c.size(), new Arg.In(c), new Arg.Out(both), new Arg.I64(c.size()),
                    new Arg.F32((float) w));
        });
    }

    private static Launch launch(String op, Buffer typed, long n, Arg... args) {
        return new Launch("sampler", op + "_" + Reals.type(op, typed), Launch.blocks((n + 3) / 4, THREADS),
                Launch.Dim.of(THREADS), 0, List.of(args));
    }

    private static void latents(String what, long n, Buffer... all) {
        for (Buffer b : all) {
            size(what, n, b);
            if (b.dtype() != DType.F32) {
                throw new IllegalArgumentException(what + ": expected F32, got " + b);
            }
        }
    }

    private static void halves(String what, Buffer both, Buffer one) {
        size(what, 2 * one.size(), both);
        if (both.dtype() != one.dtype()) {
            throw new IllegalArgumentException(what + ": expected one type, got " + both + " and " + one);
        }
    }

    private static void size(String what, long n, Buffer b) {
        if (b.size() != n) {
            throw new IllegalArgumentException(what + ": expected " + n + " elements, got " + b);
        }
    }
}
