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

/**
 * Launches kernels/hutchinson.cu: the Hutchinson probe of STSL's surrogate loss, trace = k e.(eps(z + h e) - eps(z)) / (h sigma).
 * Latents, probes and scalars are F32; the network's batch of both evaluations, [2B,..], is F32, F16 or BF16.
 */
public final class HutchinsonKernels {
    private static final String FAMILY = "hutchinson";
    private static final int THREADS = 128;
    private static final int REDUCE_THREADS = 1024;
    /** The most elements that one block sums; several blocks sum a longer sample in chunks. */
    private static final long CHUNK = 65536;

    private HutchinsonKernels() {}

    /** Makes [z ; z + h e] of z, e [B,..] and h []. */
    public static GpuKernel pair() {
        return GpuKernel.of(p -> {
            Buffer z = p.in(0);
            Buffer e = p.in(1);
            Buffer h = p.in(2);
            Buffer both = p.out(0);
            latents("hutchinson pair: ", both, z, e);
            scalars("hutchinson pair: ", h);
            return launch("form_forward", both, z, new Arg.In(z), new Arg.In(e), new Arg.In(h), new Arg.Out(both),
                    new Arg.I64(sample(z)));
        });
    }

    /** Adds both halves of an operand [2B,..] and, where {@code plus} says so, a second operand [B,..]. */
    public static GpuKernel pairVjp(boolean plus) {
        return GpuKernel.of(p -> {
            Buffer both = p.in(0);
            Buffer dz = p.out(0);
            latents("hutchinson pair pull-back: ", both, plus ? new Buffer[] {p.in(1), dz} : new Buffer[] {dz});
            return launch("form_vjp", both, dz, new Arg.In(both), plus ? new Arg.In(p.in(1)) : new Arg.None(), new Arg.Out(dz),
                    new Arg.I64(sample(dz)));
        });
    }

    /**
     * Computes Tweedie's mean [B,..] and the trace [B] from z [B,..], both = [eps(z) ; eps(z + h e)] [2B,..], e [B,..] and the
     * scalars h, sigma, sqrt(abar).
     */
    public static GpuKernel estimate(double k, Shape z) {
        GpuKernel mean = SamplerKernels.tweedie();
        GpuKernel trace = reduce(k, z);
        return new GpuKernel(trace.scratch(), p -> {
            Buffer both = p.in(1);
            Buffer eps = new Buffer(both.name() + ", first half", both.dtype(), z, both.address());
            List<PlanStep> steps = new ArrayList<>(mean.bind().apply(new GpuKernel.Chosen(List.of(p.in(0), eps, p.in(4), p.in(5)),
                    List.of(p.out(0)), 0)));
            steps.addAll(trace.bind().apply(new GpuKernel.Chosen(List.of(both, p.in(2), p.in(3), p.in(4)), List.of(p.out(1)),
                    p.scratch())));
            return steps;
        });
    }

    /** Makes [-sigma u - c e ; c e] of u [B,..], weight [B], e [B,..], sigma, h []; c = k weight / (sigma h). */
    public static GpuKernel estimateVjp(double k) {
        return GpuKernel.of(p -> {
            Buffer u = p.in(0);
            Buffer weight = p.in(1);
            Buffer e = p.in(2);
            Buffer sigma = p.in(3);
            Buffer h = p.in(4);
            Buffer both = p.out(0);
            latents("hutchinson estimate pull-back: ", both, u, e);
            scalars("hutchinson estimate pull-back: ", sigma, h);
            perSample("hutchinson estimate pull-back: weight", weight, samples(u));
            return launch("seed_forward", both, u, new Arg.In(u), new Arg.In(e), new Arg.In(weight), new Arg.In(sigma),
                    new Arg.In(h), new Arg.Out(both),
                    new Arg.I64(sample(u)), new Arg.F32((float) k));
        });
    }

    /** Computes trace [B] = k e.(second half - first half) / (h sigma) from both [2B,..], e [B,..], h, sigma []. */
    public static GpuKernel reduce(double k, Shape probe) {
        long chunks = (probe.size() / probe.dim(0) + CHUNK - 1) / CHUNK;
        return new GpuKernel(chunks == 1 ? 0 : 4 * chunks * probe.dim(0), p -> {
            Buffer both = p.in(0);
            Buffer e = p.in(1);
            Buffer h = p.in(2);
            Buffer sigma = p.in(3);
            Buffer trace = p.out(0);
            latents("hutchinson reduce: ", both, e);
            scalars("hutchinson reduce: ", h, sigma);
            perSample("hutchinson reduce: trace", trace, samples(e));
            Arg factor = new Arg.F32((float) k);
            if (chunks == 1) {
                return List.of(rows("reduce_forward", both, 1, samples(e), new Arg.In(both), new Arg.In(e), new Arg.In(h),
                        new Arg.In(sigma),
                        new Arg.Out(trace), new Arg.I64(sample(e)), factor));
            }
            Buffer sums = new Buffer("sums", DType.F32, Shape.of(samples(e), Math.toIntExact(chunks)), p.scratch());
            return List.of(
                    rows("chunks_forward", both, chunks, samples(e), new Arg.In(both), new Arg.In(e), new Arg.Out(sums),
                            new Arg.I64(sample(e)), new Arg.I64(CHUNK)),
                    new Launch(FAMILY, "hutchinson_total_forward_f32", Launch.Dim.of(1, samples(e)), Launch.Dim.of(256), 0,
                            List.of(new Arg.In(sums),
                            new Arg.In(h), new Arg.In(sigma), new Arg.Out(trace), new Arg.I32(Math.toIntExact(chunks)), factor)));
        });
    }

    private static Launch launch(String op, Buffer both, Buffer one, Arg... args) {
        Launch.Dim grid = Launch.Dim.of((sample(one) + 4 * THREADS - 1) / (4 * THREADS), samples(one));
        return new Launch(FAMILY, entry(op, both), grid, Launch.Dim.of(THREADS), 0, List.of(args));
    }

    private static Launch rows(String op, Buffer both, long chunks, int samples, Arg... args) {
        return new Launch(FAMILY, entry(op, both), Launch.Dim.of(chunks, samples), Launch.Dim.of(REDUCE_THREADS), 0,
                List.of(args));
    }

    private static String entry(String op, Buffer both) {
        return "hutchinson_" + op + "_" + Reals.type("hutchinson probe", both);
    }

    private static int samples(Buffer b) {
        return b.shape().dim(0);
    }

    private static long sample(Buffer b) {
        return b.size() / samples(b);
    }

    private static void latents(String what, Buffer both, Buffer... latents) {
        List<Buffer> bad = new ArrayList<>();
        for (Buffer b : latents) {
            if (b.dtype() != DType.F32 || 2 * b.size() != both.size() || 2 * samples(b) != samples(both)) {
                bad.add(b);
            }
        }
        if (!bad.isEmpty()) {
            throw new IllegalArgumentException(what + "expected F32 latents of half the size of " + both + ", got " + bad);
        }
    }

    private static void scalars(String what, Buffer... scalars) {
        for (Buffer b : scalars) {
            perSample(what + "scalar", b, 1);
        }
    }

    private static void perSample(String what, Buffer b, int n) {
        if (b.dtype() != DType.F32 || b.size() != n) {
            throw new IllegalArgumentException(what + ": expected " + n + " of F32, got " + b);
        }
    }
}
