// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.VectorMath.L;
import static org.tweedie.device.cpu.loops.VectorMath.all;
import static org.tweedie.device.cpu.loops.VectorMath.get;
import static org.tweedie.device.cpu.loops.VectorMath.load;
import static org.tweedie.device.cpu.loops.VectorMath.set;
import static org.tweedie.device.cpu.loops.VectorMath.store;

import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * Computes sums and softmax. Long sums are F32 over at most 64 numbers per lane and double over those, in an order that the shape
 * fixes. Their error stays near that of one rounding, and they do not depend on the number of threads.
 */
public final class ReductionLoops {
    private static final long GRAIN = 1 << 15;
    /** The rows that one F32 accumulator sums. */
    private static final int RUN = 64;

    private ReductionLoops() {}

    public static CpuKernel sum(Parallel parallel, Shape in, List<Integer> axes) {
        List<long[]> runs = runs(in, axes); // each entry has an extent and whether it is summed; neighbours are joined
        if (runs.size() == 1 && runs.getFirst()[1] == 0) {
            return CpuKernel.of(p -> {
                long x = p.in(0);
                long y = p.out(0);
                return () -> MoveLoops.copy(x, y, 4 * in.size());
            });
        }
        if (runs.size() <= 3 && (runs.size() < 3 || runs.getFirst()[1] == 0)) {
            boolean first = runs.getFirst()[1] != 0;
            long outer = first ? 1 : runs.getFirst()[0];
            long reduced = first ? runs.getFirst()[0] : runs.get(1)[0];
            long inner = runs.getLast()[1] != 0 ? 1 : runs.getLast()[0];
            return inner == 1 ? rows(parallel, outer, reduced) : columns(parallel, outer, reduced, inner);
        }
        return general(parallel, runs);
    }

    private static List<long[]> runs(Shape in, List<Integer> axes) {
        List<long[]> runs = new ArrayList<>();
        for (int a = 0; a < in.rank(); a++) {
            long summed = axes.contains(a) ? 1 : 0;
            if (in.dim(a) == 1) {
                continue;
            }
            if (!runs.isEmpty() && runs.getLast()[1] == summed) {
                runs.getLast()[0] *= in.dim(a);
            } else {
                runs.add(new long[] {in.dim(a), summed});
            }
        }
        if (runs.isEmpty()) {
            runs.add(new long[] {1, 0});
        }
        return runs;
    }

    /** Sums x [outer,reduced] to [outer]. */
    private static CpuKernel rows(Parallel parallel, long outer, long reduced) {
        int cuts = Parallel.chunks(reduced, GRAIN);
        int groups = cuts > 1 ? (int) outer : Parallel.chunks(outer, Math.max(1, GRAIN / reduced));
        return new CpuKernel(8L * cuts * (cuts > 1 ? outer : 0), p -> {
            long x = p.in(0);
            long y = p.out(0);
            long partial = p.scratch();
            if (cuts == 1) {
                return () -> parallel.run(groups, (k, temp) -> {
                    long end = Parallel.from(k + 1, groups, outer, 1);
                    for (long r = Parallel.from(k, groups, outer, 1); r < end; r++) {
                        set(y + 4 * r, (float) Strips.sum(x + 4 * r * reduced, (int) reduced));
                    }
                });
            }
            return () -> {
                parallel.run(groups * cuts, (k, temp) -> {
                    long from = Parallel.from(k % cuts, cuts, reduced, 64);
                    long to = Parallel.from(k % cuts + 1, cuts, reduced, 64);
                    Native.ALL.set(Native.DOUBLE, partial + 8L * k, Strips.sum(x + 4 * (k / cuts * reduced + from),
                            (int) (to - from)));
                });
                for (long r = 0; r < outer; r++) {
                    double s = 0;
                    for (int c = 0; c < cuts; c++) {
                        s += Native.ALL.get(Native.DOUBLE, partial + 8 * (r * cuts + c));
                    }
                    set(y + 4 * r, (float) s);
                }
            };
        });
    }

    /** Sums x [outer,reduced,inner] to [outer,inner]. */
    private static CpuKernel columns(Parallel parallel, long outer, long reduced, long inner) {
        int cuts = Parallel.chunks(reduced, Math.max(RUN, GRAIN / inner));
        int tasks = Math.toIntExact(outer * cuts);
        return new CpuKernel(8L * inner * tasks, p -> {
            long x = p.in(0);
            long y = p.out(0);
            long partial = p.scratch(); // the shape is [outer,cuts,inner], in double
            return () -> {
                parallel.run(tasks, (k, temp) -> {
                    long from = Parallel.from(k % cuts, cuts, reduced, 1);
                    long to = Parallel.from(k % cuts + 1, cuts, reduced, 1);
                    columns(x + 4 * (k / cuts * reduced + from) * inner, to - from, inner, partial + 8L * k * inner);
                });
                for (long i = 0; i < outer * inner; i++) {
                    double s = 0;
                    for (long c = 0; c < cuts; c++) {
                        s += Native.ALL.get(Native.DOUBLE, partial + 8 * ((i / inner * cuts + c) * inner + i % inner));
                    }
                    set(y + 4 * i, (float) s);
                }
            };
        });
    }

    /** Computes the column sums of x [n,inner] in double. It reads whole vectors, also beyond the last column. */
    private static void columns(long x, long n, long inner, long sums) {
        float[] lanes = new float[L];
        for (long c = 0; c < inner; c += L) {
            int width = (int) Math.min(L, inner - c);
            for (int j = 0; j < width; j++) {
                Native.ALL.set(Native.DOUBLE, sums + 8 * (c + j), 0);
            }
            for (long i = 0; i < n; i += RUN) {
                Columns.sum(x + 4 * (i * inner + c), 4 * inner, (int) Math.min(RUN, n - i)).intoArray(lanes, 0);
                for (int j = 0; j < width; j++) {
                    long at = sums + 8 * (c + j);
                    Native.ALL.set(Native.DOUBLE, at, Native.ALL.get(Native.DOUBLE, at) + lanes[j]);
                }
            }
        }
    }

    /** Sums any alternation of kept and summed axes, in double; only second derivatives need it. */
    private static CpuKernel general(Parallel parallel, List<long[]> runs) {
        long[] strides = new long[runs.size()];
        long n = 1;
        for (int i = runs.size() - 1; i >= 0; i--) {
            strides[i] = n;
            n *= runs.get(i)[0];
        }
        long outs = extent(runs, 0);
        long sums = extent(runs, 1);
        int chunks = Parallel.chunks(outs, Math.max(1, GRAIN / sums));
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long y = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long end = Parallel.from(k + 1, chunks, outs, 1);
                for (long o = Parallel.from(k, chunks, outs, 1); o < end; o++) {
                    long base = offset(o, runs, strides, 0);
                    double s = 0;
                    for (long r = 0; r < sums; r++) {
                        s += get(x + 4 * (base + offset(r, runs, strides, 1)));
                    }
                    set(y + 4 * o, (float) s);
                }
            });
        });
    }

    private static long extent(List<long[]> runs, int kind) {
        return runs.stream().filter(r -> r[1] == kind).mapToLong(r -> r[0]).reduce(1, (a, b) -> a * b);
    }

    private static long offset(long index, List<long[]> runs, long[] strides, int kind) {
        long o = 0;
        for (int i = runs.size() - 1; i >= 0; i--) {
            if (runs.get(i)[1] == kind) {
                o += index % runs.get(i)[0] * strides[i];
                index /= runs.get(i)[0];
            }
        }
        return o;
    }

    /** Sums x [B,H,W,C] to [B,H/factor,W/factor,C], both in F32 or both in BF16. */
    public static CpuKernel sumPool(Parallel parallel, DType real, int factor, Shape in) {
        int c = in.dim(3);
        int width = in.dim(2) / factor;
        int lines = in.dim(0) * in.dim(1) / factor;
        int bytes = real.bytes() * c; // of a pixel
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long y = p.out(0);
            return () -> parallel.run(lines, (r, temp) -> {
                for (int w = 0; w < width; w++) {
                    long from = x + bytes * ((long) r * factor * in.dim(2) + (long) w * factor);
                    long to = y + bytes * ((long) r * width + w);
                    if (real == DType.F32) {
                        pool(from, 4L * c * in.dim(2), factor, c, to);
                    } else {
                        brainPool(from, 2L * c * in.dim(2), factor, c, to, temp);
                    }
                }
            });
        });
    }

    private static void brainPool(long x, long line, int factor, int c, long y, long temp) {
        long next = temp + 4L * Strips.STRIP;
        for (int i = 0; i < c; i += Strips.STRIP) {
            int n = Math.min(Strips.STRIP, c - i);
            Strips.fill(temp, 0, (n + L - 1) / L * L);
            for (int u = 0; u < factor; u++) {
                for (int w = 0; w < factor; w++) {
                    Brain.widen(x + u * line + 2L * (w * c + i), next, n);
                    Strips.add(temp, next, temp, n);
                }
            }
            Brain.narrow(temp, y + 2L * i, n);
        }
    }

    private static void pool(long x, long line, int factor, int c, long y) {
        int i = 0;
        for (; i <= c - L; i += L) {
            FloatVector v = all(0);
            for (int u = 0; u < factor; u++) {
                for (int w = 0; w < factor; w++) {
                    v = v.add(load(x + u * line + 4L * (w * c + i)));
                }
            }
            store(v, y + 4L * i);
        }
        for (; i < c; i++) {
            float s = 0;
            for (int u = 0; u < factor; u++) {
                for (int w = 0; w < factor; w++) {
                    s += get(x + u * line + 4L * (w * c + i));
                }
            }
            set(y + 4L * i, s);
        }
    }

    public static CpuKernel softmax(Parallel parallel, Shape in) {
        int n = in.dim(-1);
        long rows = in.size() / n;
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / n));
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long y = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long end = Parallel.from(k + 1, chunks, rows, 1);
                for (long r = Parallel.from(k, chunks, rows, 1); r < end; r++) {
                    Strips.softmax(x + 4 * r * n, 1, y + 4 * r * n, n, temp);
                }
            });
        });
    }
}
