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
import org.tweedie.program.op.GroupNormalization;

/**
 * Launches kernels/norm_strips.cu: group norm of large groups. Each sample's places are cut into strips, which many blocks
 * sum; what they sum is joined by a block per group. How places are cut depends on the shape only, so results do too.
 *
 * <p>Working memory, in F32: pairs of each strip and channel [B,S,C,2], then of each group mean and r [B,G,2] and the means of v
 * and xhat v [B,G,2].
 */
final class NormStrips {
    private static final int THREADS = 256;
    /** The most strips of a sample; the kernel that joins them reads all. */
    private static final int STRIPS = 512;
    /** The fewest places of a thread, so that joining the threads of a block costs little beside their sums. */
    private static final int ROWS = 8;
    /** The most columns of 16 bytes that a block takes of each place. */
    private static final int COLUMNS = 64;

    private final GroupNormalization op;
    private final NormKernels.Form form;
    private final int samples;
    private final int channels;
    private final int places;
    private final int rows;
    private final int strips;

    private NormStrips(GroupNormalization op, Shape x, NormKernels.Form form) {
        this.op = op;
        this.form = form;
        this.samples = x.dim(0);
        this.channels = x.dim(-1);
        this.places = Math.toIntExact(x.size() / samples / channels);
        // the number for 16 bits, whatever the type
        this.rows = Math.max(ROWS * (THREADS / columns(8)), (places + STRIPS - 1) / STRIPS);
        this.strips = (places + rows - 1) / rows;
    }

    /** Tells whether the places are whole vectors in every type. */
    static boolean fits(Shape x) {
        return x.dim(-1) % 8 == 0;
    }

    static GpuKernel of(GroupNormalization op, Shape x, NormKernels.Form form) {
        NormStrips n = new NormStrips(op, x, form);
        return new GpuKernel(n.partialBytes() + 2 * n.pairBytes(), n::steps);
    }

    private long partialBytes() {
        return 8L * samples * strips * channels;
    }

    /** The bytes rounded up, so that the following memory is aligned. */
    private long pairBytes() {
        return (8L * samples * op.groups() + 255) / 256 * 256;
    }

    private List<PlanStep> steps(GpuKernel.Places p) {
        Buffer partial = new Buffer("partial", DType.F32, Shape.of(samples, strips, channels, 2), p.scratch());
        Buffer stats = pairs("stats", p.scratch() + partialBytes());
        Buffer proj = pairs("proj", p.scratch() + partialBytes() + pairBytes());
        Arg x = new Arg.In(p.in(0));
        Arg gamma = new Arg.In(p.in(1));
        Arg beta = new Arg.In(p.in(2));
        String type = form.type(p);
        List<PlanStep> steps = new ArrayList<>();
        steps.add(strips("groupnorm_strips_" + type, p.in(0), false, x, new Arg.Out(partial)));
        steps.add(join("groupnorm_statistics", new Arg.In(partial), new Arg.Out(stats), new Arg.I32(places),
                new Arg.I32(channels),
                new Arg.I32(op.groups()), new Arg.I32(rows), new Arg.I32(strips), new Arg.F32((float) op.eps())));
        List<Arg> apply = new ArrayList<>(List.of(x, gamma, beta));
        if (form != NormKernels.Form.FORWARD) {
            Arg t = new Arg.In(p.in(3));
            String act = op.silu() && form.isVjp() ? "silu_" : "";
            steps.add(strips("groupnorm_" + act + form.entry() + "_strips_" + type, p.in(0), true, x, gamma, beta, t,
                    new Arg.In(stats),
                    new Arg.Out(partial)));
            steps.add(join("groupnorm_projections", new Arg.In(partial), new Arg.Out(proj), new Arg.I32(places),
                    new Arg.I32(channels),
                    new Arg.I32(op.groups()), new Arg.I32(strips)));
            apply.add(t);
        }
        apply.add(new Arg.In(stats));
        if (form != NormKernels.Form.FORWARD) {
            apply.add(new Arg.In(proj));
        }
        apply.addAll(form.results(p));
        steps.add(strips("groupnorm_" + (op.silu() ? "silu_" : "") + form.entry() + "_apply_" + type, p.in(0), true,
                apply.toArray(Arg[]::new)));
        return steps;
    }

    private Buffer pairs(String name, long address) {
        return new Buffer(name, DType.F32, Shape.of(samples, op.groups(), 2), address);
    }

    private int chunks(int lanes) {
        return (channels / lanes + COLUMNS - 1) / COLUMNS;
    }

    /** The columns of a chunk; chunks differ by no more than the rounding. */
    private int columns(int lanes) {
        return (channels / lanes + chunks(lanes) - 1) / chunks(lanes);
    }

    /** A launch with a block for each strip and chunk of columns of each sample. */
    private Launch strips(String entry, Buffer x, boolean groups, Arg... buffers) {
        int lanes = Reals.lanes(x);
        List<Arg> args = new ArrayList<>(List.of(buffers));
        args.addAll(List.of(new Arg.I32(places), new Arg.I32(channels)));
        if (groups) {
            args.add(new Arg.I32(op.groups()));
        }
        args.addAll(List.of(new Arg.I32(rows), new Arg.I32(columns(lanes))));
        return new Launch("norm_strips", entry, new Launch.Dim(strips, chunks(lanes), samples), Launch.Dim.of(THREADS), 0, args);
    }

    /** A launch with a block for each group of each sample. */
    private Launch join(String entry, Arg... args) {
        return new Launch("norm_strips", entry, Launch.Dim.of((long) samples * op.groups()), Launch.Dim.of(THREADS), 0,
                List.of(args));
    }
}
