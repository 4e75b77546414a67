// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tweedie.device.gpu.kernel.Axes.Axis;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * Launches kernels/reduce.cu: sums. Long sums are cut, by shape alone, and a second launch adds their partial sums (F32, in
 * working memory). Results are F32, whatever the numbers are stored in.
 */
public final class ReductionKernels {
    private static final int THREADS = 256;
    /** Numbers of a row below which it is not cut, and warps of a launch beyond which it is not either. */
    private static final int LONG_ROW = 2048;
    private static final int MANY_WARPS = 8192;
    /** Rows below which a column is not cut, and blocks of a launch beyond which it is not either. */
    private static final int LONG_COLUMN = 64;
    private static final int MANY_BLOCKS = 1024;
    private static final int MOST_CUTS = 1024;

    private ReductionKernels() {}

    /** Neighbouring axes that are all kept or all summed. */
    private record Run(long extent, boolean summed) {}

    /** Sums over axes, which stay with extent 1. */
    public static GpuKernel sum(Shape x, List<Integer> axes) {
        List<Run> runs = runs(x, axes);
        if (runs.stream().noneMatch(Run::summed)) {
            GpuKernel copy = MoveKernels.copy(x.size());
            return new GpuKernel(0, p -> p.in(0).dtype() == p.out(0).dtype() ? copy.bind().apply(p)
                    : List.of(ElementwiseKernels.cast(p.in(0), p.out(0))));
        }
        boolean first = runs.getFirst().summed;
        boolean last = runs.getLast().summed;
        if (runs.size() > 3 || runs.size() == 3 && first) {
            return strided(runs);
        }
        long outer = first ? 1 : runs.getFirst().extent;
        long n = first ? runs.getFirst().extent : runs.get(1).extent;
        return last ? rows(outer, n) : columns(outer, n, runs.getLast().extent);
    }

    private static List<Run> runs(Shape x, List<Integer> axes) {
        List<Run> runs = new ArrayList<>();
        for (int a = 0; a < x.rank(); a++) {
            boolean summed = axes.contains(a);
            if (x.dim(a) == 1) {
                continue;
            }
            if (!runs.isEmpty() && runs.getLast().summed == summed) {
                runs.set(runs.size() - 1, new Run(runs.getLast().extent * x.dim(a), summed));
            } else {
                runs.add(new Run(x.dim(a), summed));
            }
        }
        return runs;
    }

    /** Sums the rows of x [outer,n] to [outer]. */
    private static GpuKernel rows(long outer, long n) {
        Cuts cuts = Cuts.of(n, LONG_ROW, MANY_WARPS / outer);
        return twoStages(outer * cuts.many, cuts, (x, y) -> rows(outer, n, cuts, x, y), (x, y) -> rows(outer, cuts.many,
                new Cuts(1, cuts.many), x, y));
    }

    private static Launch rows(long outer, long n, Cuts cuts, Buffer x, Buffer y) {
        return launch(name("reduce_rows", x, y, false), outer, n, cuts, x, y);
    }

    /** Sums n elements of x for each of [outer] results, as the axes say. */
    private static GpuKernel strided(List<Run> runs) {
        List<Axis> kept = new ArrayList<>();
        List<Axis> summed = new ArrayList<>();
        long step = 1;
        for (Run r : runs.reversed()) {
            (r.summed ? summed : kept).add(new Axis(r.extent, step, 0));
            step *= r.extent;
        }
        Axes k = Axes.of(kept);
        Axes s = Axes.of(summed);
        long outer = k.size();
        Cuts cuts = Cuts.of(s.size(), LONG_ROW, MANY_WARPS / outer);
        return twoStages(outer * cuts.many, cuts, (x, y) -> launch(name("reduce_strided", x, y, false), outer, s.size(), cuts, x,
                y, k.arg(), s.arg()),
                (x, y) -> rows(outer, cuts.many, new Cuts(1, cuts.many), x, y));
    }

    /** A launch in which each task has as many threads of a warp as have four numbers to add. */
    private static Launch launch(String entry, long outer, long n, Cuts cuts, Buffer x, Buffer y, Arg... more) {
        long tasks = outer * cuts.many;
        int lg = Math.min(5, log2(cuts.chunk / 4));
        List<Arg> args = new ArrayList<>(List.of(new Arg.In(x), new Arg.Out(y), count(tasks), Divisor.of(cuts.many).arg(),
                count(n), count(cuts.chunk), count(lg)));
        args.addAll(List.of(more));
        return new Launch("reduce", entry, Launch.blocks(tasks << lg, THREADS), Launch.Dim.of(THREADS), 0, args);
    }

    /** Sums the columns of x [outer,n,inner] to [outer,inner]. */
    private static GpuKernel columns(long outer, long n, long inner) {
        Cuts cuts = Cuts.of(n, LONG_COLUMN, MANY_BLOCKS / (outer * ((inner + 127) / 128)));
        return twoStages(outer * cuts.many * inner, cuts, (x, y) -> columns(outer, n, inner, cuts, x, y),
                (x, y) -> columns(outer, cuts.many, inner, new Cuts(1, cuts.many), x, y));
    }

    private static Launch columns(long outer, long n, long inner, Cuts cuts, Buffer x, Buffer y) {
        int v = inner % lanes(x) == 0 ? lanes(x) : 1;
        long units = inner / v;
        // threads behind one another: four rows each
        int behind = 1 << Math.min(log2(cuts.chunk / 4), log2(THREADS / (1 << Math.min(5, log2(units)))));
        int beside = 1 << Math.min(log2(units), log2(THREADS / behind));
        long blocks = (units + beside - 1) / beside;
        return new Launch("reduce", name("reduce_columns", x, y, v > 1), Launch.Dim.of(outer * blocks, cuts.many),
                Launch.Dim.of(beside, behind), 0,
                List.of(new Arg.In(x), new Arg.Out(y), count(n), count(units), Divisor.of(blocks).arg(), count(cuts.chunk)));
    }

    /** Sums blocks of x [B,H,W,C] to [B,H/factor,W/factor,C]. */
    public static GpuKernel sumPool(int factor, Shape x) {
        return GpuKernel.of(p -> {
            String type = type(p.in(0));
            if (p.in(0).dtype() != p.out(0).dtype()) {
                throw new IllegalArgumentException("sum pool: expected one type, got " + p.in(0) + " and " + p.out(0));
            }
            int v = x.dim(3) % lanes(p.in(0)) == 0 ? lanes(p.in(0)) : 1;
            long n = x.size() / factor / factor / v;
            return new Launch("reduce", "upsample_vjp" + (v > 1 ? "_wide_" : "_") + type, Launch.blocks(n, THREADS),
                    Launch.Dim.of(THREADS), 0,
                    List.of(new Arg.In(p.in(0)), new Arg.Out(p.out(0)), count(n), Divisor.of(x.dim(3) / v).arg(),
                            Divisor.of(x.dim(2) / factor).arg(), count(factor)));
        });
    }

    /** The cuts of a sum: a number of chunks, and the numbers in each of them but the last. */
    private record Cuts(long many, long chunk) {
        /**
         * Cuts n numbers into at most {@code most} chunks, none much shorter than {@code least}, of a multiple of 8 where there
         * are several.
         */
        static Cuts of(long n, int least, long most) {
            long many = Math.max(1, Math.min(Math.min(n / least, most), MOST_CUTS));
            long chunk = many == 1 ? n : ((n + many - 1) / many + 7) / 8 * 8;
            return new Cuts((n + chunk - 1) / chunk, chunk);
        }
    }

    /** A launch from one buffer to another. */
    private interface Stage {
        Launch of(Buffer x, Buffer y);
    }

    /** Makes one launch where nothing is cut, else one for the partial sums and one that adds them. */
    private static GpuKernel twoStages(long partials, Cuts cuts, Stage first, Stage second) {
        if (cuts.many == 1) {
            return GpuKernel.of(p -> first.of(p.in(0), p.out(0)));
        }
        return new GpuKernel(partials * 4, p -> {
            Buffer partial = new Buffer("partial sums", DType.F32, Shape.of(Math.toIntExact(partials)), p.scratch());
            return List.of(first.of(p.in(0), partial), second.of(partial, p.out(0)));
        });
    }

    private static String name(String family, Buffer x, Buffer y, boolean wide) {
        String w = wide ? "_wide_" : "_";
        if (y.dtype() != DType.F32) {
            throw new IllegalArgumentException("sum: expected a result in F32, got " + y);
        }
        return family + (x.dtype() == DType.F32 ? "_forward" : "_partial") + w + type(x);
    }

    private static String type(Buffer b) {
        if (b.dtype() != DType.F32 && b.dtype() != DType.F16 && b.dtype() != DType.BF16) {
            throw new IllegalArgumentException("sum: expected F32, F16 or BF16, got " + b);
        }
        if (b.address() % 16 != 0) {
            throw new IllegalArgumentException("sum: expected buffers at multiples of 16 bytes, got " + b + " at " + b.address());
        }
        return b.dtype().name().toLowerCase(Locale.ROOT);
    }

    private static int lanes(Buffer b) {
        return 16 / b.dtype().bytes();
    }

    /** The logarithm of the least power of two that is not below n; 0 for n < 1. */
    private static int log2(long n) {
        return n <= 1 ? 0 : 64 - Long.numberOfLeadingZeros(n - 1);
    }

    private static Arg count(long n) {
        return new Arg.I32(Math.toIntExact(n));
    }
}
