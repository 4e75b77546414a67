// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.kernel.Axes.Axis;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.op.Concat;
import org.tweedie.program.op.Pad;
import org.tweedie.program.op.Slice;
import org.tweedie.program.op.Transpose;

/**
 * Launches kernels/move.cu: ops that only move elements, of any type. They move units as wide as runs and addresses allow; none
 * runs in place.
 */
public final class MoveKernels {
    private static final int THREADS = 256;
    private static final int TILE = 32;
    /** Least extent of the exchanged axes for which rows of a tile fill the sectors of memory that they touch. */
    private static final int TILED = 8;
    /** Batches of tiles that have blocks of their own; a block does every 1024th. */
    private static final int BATCHES = 1024;
    /** The most parts that one launch joins. */
    private static final int PARTS = 4;

    private MoveKernels() {}

    /** Repeats x to a larger shape by numpy's rule. */
    public static GpuKernel broadcast(Shape out, Shape x) {
        Axes axes = Axes.broadcast(out, x, Shape.of());
        return GpuKernel.of(p -> {
            int v = 16 / p.out(0).dtype().bytes();
            boolean fill = v >= 4 && axes.inner().x() == 0 && axes.inner().extent() % v == 0 && p.out(0).address() % 16 == 0;
            return fill ? fill(axes.vectors(v), p.in(0), p.out(0)) : copy(axes, 0, p.in(0), p.out(0));
        });
    }

    public static GpuKernel slice(Slice op, Shape x) {
        long inner = inner(x, op.axis());
        long run = inner * (op.to() - op.from());
        Axes axes = Axes.of(List.of(new Axis(run, 1, 1), new Axis(x.size(0, op.axis()), inner * x.dim(op.axis()), run)));
        return GpuKernel.of(p -> copy(axes, inner * op.from(), p.in(0), p.out(0)));
    }

    public static GpuKernel transpose(Transpose op, Shape x) {
        long[] strides = x.strides();
        List<Axis> result = new ArrayList<>(); // axes of the result, the innermost first
        long step = 1;
        for (int from : op.perm().reversed()) {
            result.add(new Axis(x.dim(from), strides[from], step));
            step *= x.dim(from);
        }
        Axes axes = Axes.of(result);
        Axis p = axes.inner();
        Axis q = axes.axes().stream().filter(a -> a.x() == 1).findFirst().orElse(p);
        if (p == q || p.extent() < TILED || q.extent() < TILED) {
            return GpuKernel.of(b -> copy(axes, 0, b.in(0), b.out(0)));
        }
        Axes batches = Axes.of(axes.axes().stream().filter(a -> a != p && a != q).toList());
        return GpuKernel.of(b -> tiled(p, q, batches, b.in(0), b.out(0)));
    }

    /** Copies n elements. */
    public static GpuKernel copy(long n) {
        return GpuKernel.of(p -> copy(new Axes(List.of(new Axis(n, 1, 1))), 0, p.in(0), p.out(0)));
    }

    /** @param from index in x of the first element of y */
    private static Launch copy(Axes axes, long from, Buffer x, Buffer y) {
        int e = width(x, y);
        List<Long> bytes = new ArrayList<>(List.of(x.address(), y.address(), from * e, axes.inner().extent() * e));
        axes.axes().stream().skip(1).forEach(a -> bytes.addAll(List.of(a.x() * e, a.y() * e)));
        int u = axes.inner().x() == 1 ? unit(bytes) : e;
        Axes units = axes.units(u / e);
        return launch("copy_forward", u, units.size(), new Arg.In(x), new Arg.Out(y), count(units.size()), count(from * e / u),
                units.arg());
    }

    private static Launch fill(Axes vectors, Buffer x, Buffer y) {
        return launch("fill_forward", width(x, y), vectors.size(), new Arg.In(x), new Arg.Out(y), count(vectors.size()),
                vectors.arg());
    }

    private static Launch tiled(Axis p, Axis q, Axes batches, Buffer x, Buffer y) {
        long n = batches.size();
        Launch.Dim grid = new Launch.Dim(Math.toIntExact((p.extent() + TILE - 1) / TILE),
                Math.toIntExact((q.extent() + TILE - 1) / TILE),
                (int) Math.min(n, BATCHES));
        Arg size = new Arg.Ints((int) p.extent(), (int) q.extent(), Math.toIntExact(p.x()), Math.toIntExact(q.y()),
                Math.toIntExact(n));
        return new Launch("move", "transpose_forward_b" + 8 * width(x, y), grid, Launch.Dim.of(TILE, THREADS / TILE), 0,
                List.of(new Arg.In(x), new Arg.Out(y), size, batches.arg()));
    }

    public static GpuKernel pad(Pad op, Shape x, Shape out) {
        long inner = inner(x, op.axis());
        return GpuKernel.of(p -> {
            int e = width(p.in(0), p.out(0));
            int u = unit(List.of(inner * op.before() * e, inner * op.after() * e, inner * x.dim(op.axis()) * e, p.in(0).address(),
                    p.out(0).address()));
            long row = inner * out.dim(op.axis()) * e / u;
            long n = out.size() * e / u;
            return launch("pad_forward", u, n, new Arg.In(p.in(0)), new Arg.Out(p.out(0)), count(n), Divisor.of(row).arg(),
                    count(inner * op.before() * e / u), count(inner * x.dim(op.axis()) * e / u));
        });
    }

    /** Joins operands along an axis; each launch writes four parts of each row of the result. */
    public static GpuKernel concat(Concat op, List<Type> in, Shape out) {
        return new GpuKernel(0, p -> concat(op.axis(), in, out, p));
    }

    private static List<PlanStep> concat(int axis, List<Type> types, Shape out, GpuKernel.Places p) {
        Buffer all = p.out(0);
        int e = all.dtype().bytes();
        long inner = inner(out, axis) * e;
        long[] parts = types.stream().mapToLong(x -> inner * x.shape().dim(axis)).toArray(); // bytes of a row
        List<Long> bytes = new ArrayList<>(List.of(all.address()));
        for (int i = 0; i < parts.length; i++) {
            width(p.in(i), all);
            bytes.addAll(List.of(p.in(i).address(), parts[i]));
        }
        int u = unit(bytes);
        long rows = out.size(0, axis);
        Arg total = new Arg.I32(Math.toIntExact(inner * out.dim(axis) / u));
        List<PlanStep> steps = new ArrayList<>();
        int from = 0;
        for (int first = 0; first < parts.length; first += PARTS) {
            int[] widths = new int[PARTS];
            List<Arg> args = new ArrayList<>();
            int width = 0;
            for (int k = 0; k < PARTS; k++) {
                boolean there = first + k < parts.length;
                widths[k] = there ? (int) (parts[first + k] / u) : 0;
                args.add(there ? new Arg.In(p.in(first + k)) : new Arg.None());
                width += widths[k];
            }
            // later launches must not forget what earlier ones wrote
            args.add(first == 0 ? new Arg.Out(all) : new Arg.InOut(all));
            args.addAll(List.of(count(rows * width), Divisor.of(width).arg(), new Arg.Ints(widths), new Arg.I32(from), total));
            steps.add(launch("concat_forward", u, rows * width, args.toArray(Arg[]::new)));
            from += width;
        }
        return steps;
    }

    /** Enlarges an image x [B,H,W,C]. */
    public static GpuKernel upsample(int factor, Shape x) {
        return GpuKernel.of(p -> {
            int e = width(p.in(0), p.out(0));
            int u = unit(List.of((long) x.dim(3) * e, p.in(0).address(), p.out(0).address()));
            long n = x.size() * e / u;
            return launch("upsample_forward", u, n, new Arg.In(p.in(0)), new Arg.Out(p.out(0)), count(n),
                    Divisor.of(x.dim(3) * e / u).arg(),
                    Divisor.of(x.dim(2)).arg(), new Arg.I32(factor));
        });
    }

    /** Reads rows of a table [V,C], the first operand, by ids in I64, the second. */
    public static GpuKernel gather(Shape table, long ids) {
        return GpuKernel.of(p -> {
            if (p.in(1).dtype() != DType.I64) {
                throw new IllegalArgumentException("gather: expected ids in I64, got " + p.in(1));
            }
            int e = width(p.in(0), p.out(0));
            int u = unit(List.of((long) table.dim(1) * e, p.in(0).address(), p.out(0).address()));
            long row = (long) table.dim(1) * e / u;
            return launch("gather_forward", u, ids * row, new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.Out(p.out(0)),
                    count(ids * row),
                    Divisor.of(row).arg(), new Arg.I32(table.dim(0)));
        });
    }

    private static long inner(Shape s, int axis) {
        return s.size(axis + 1, s.rank());
    }

    /** A launch with a thread for each of n units of so many bytes. */
    private static Launch launch(String entry, int unit, long n, Arg... args) {
        return new Launch("move", entry + "_b" + 8 * unit, Launch.blocks(n, THREADS), Launch.Dim.of(THREADS), 0, List.of(args));
    }

    private static Arg count(long n) {
        return new Arg.I32(Math.toIntExact(n));
    }

    /** The largest of 16, 8, 4 and 2 that divides all these numbers of bytes. */
    private static int unit(List<Long> bytes) {
        long all = bytes.stream().reduce(16L, (a, b) -> a | b);
        int u = (int) Long.lowestOneBit(all);
        if (u < 2) {
            throw new IllegalArgumentException("moves: expected elements of 2, 4 or 8 bytes at their multiples, "
                    + "got runs, steps and addresses " + bytes);
        }
        return u;
    }

    /** The bytes of an element, which both buffers share. */
    private static int width(Buffer x, Buffer y) {
        if (x.dtype() != y.dtype()) {
            throw new IllegalArgumentException("moves: expected one type for all, got " + x + " and " + y);
        }
        return x.dtype().bytes();
    }
}
