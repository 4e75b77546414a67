// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.op.Concat;
import org.tweedie.program.op.Pad;
import org.tweedie.program.op.Slice;
import org.tweedie.program.op.Transpose;

/** Ops that only move elements. They copy runs of bytes, so every bit pattern is kept. */
public final class MoveLoops {
    private static final long GRAIN = 1 << 17; // in bytes
    private static final MemorySegment ALL = Native.ALL;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private MoveLoops() {}

    /** Copies bytes; short runs are copied in a loop, because calling the library's copy takes longer than that. */
    static void copy(long from, long to, long bytes) {
        if (bytes > 64) {
            MemorySegment.copy(ALL, from, ALL, to, bytes);
            return;
        }
        long i = 0;
        for (; i <= bytes - 8; i += 8) {
            ALL.set(Native.LONG, to + i, ALL.get(Native.LONG, from + i));
        }
        if (i <= bytes - 4) {
            ALL.set(Native.INT, to + i, ALL.get(Native.INT, from + i));
            i += 4;
        }
        if (i < bytes) {
            ALL.set(SHORT, to + i, ALL.get(SHORT, from + i));
        }
    }

    /** Copies the 16 bits at an address n times. */
    static void fill16(long to, long from, int n) {
        short x = ALL.get(SHORT, from);
        for (int i = 0; i < n; i++) {
            ALL.set(SHORT, to + 2L * i, x);
        }
    }

    /** Copies {@code rows} runs of {@code bytes}, each a step apart in the source and in the target. */
    private static void strided(Parallel parallel, long from, long fromStep, long to, long toStep, long bytes, long rows) {
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / Math.max(1, bytes)));
        parallel.run(chunks, (k, temp) -> {
            long end = Parallel.from(k + 1, chunks, rows, 1);
            for (long r = Parallel.from(k, chunks, rows, 1); r < end; r++) {
                copy(from + r * fromStep, to + r * toStep, bytes);
            }
        });
    }

    private static long inner(Shape s, int axis) {
        return s.size(axis + 1, s.rank());
    }

    /** @param width the bytes of an element, here and below */
    public static CpuKernel concat(Parallel parallel, Concat op, List<Type> in, Shape out, int width) {
        long unit = width * inner(out, op.axis());
        long rows = out.size(0, op.axis());
        long step = unit * out.dim(op.axis());
        return CpuKernel.of(p -> {
            List<Runnable> parts = new ArrayList<>();
            long at = p.out(0);
            for (int i = 0; i < in.size(); i++) {
                long bytes = unit * in.get(i).shape().dim(op.axis());
                long from = p.in(i);
                long to = at;
                parts.add(() -> strided(parallel, from, bytes, to, step, bytes, rows));
                at += bytes;
            }
            return () -> parts.forEach(Runnable::run);
        });
    }

    public static CpuKernel slice(Parallel parallel, Slice op, Shape in, int width) {
        long unit = width * inner(in, op.axis());
        long bytes = unit * (op.to() - op.from());
        return CpuKernel.of(p -> {
            long from = p.in(0) + unit * op.from();
            long to = p.out(0);
            return () -> strided(parallel, from, unit * in.dim(op.axis()), to, bytes, bytes, in.size(0, op.axis()));
        });
    }

    public static CpuKernel pad(Parallel parallel, Pad op, Shape in, Shape out, int width) {
        long unit = width * inner(out, op.axis());
        long step = unit * out.dim(op.axis());
        long bytes = unit * in.dim(op.axis());
        long rows = out.size(0, op.axis());
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / step));
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long y = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long end = Parallel.from(k + 1, chunks, rows, 1);
                for (long r = Parallel.from(k, chunks, rows, 1); r < end; r++) {
                    long to = y + r * step;
                    zero(to, unit * op.before());
                    copy(x + r * bytes, to + unit * op.before(), bytes);
                    zero(to + unit * op.before() + bytes, unit * op.after());
                }
            });
        });
    }

    private static void zero(long to, long bytes) {
        ALL.asSlice(to, bytes).fill((byte) 0);
    }

    public static CpuKernel transpose(Parallel parallel, Transpose op, Shape in, int width) {
        int r = in.rank();
        boolean wholeRows = r == 0 || op.perm().getLast() == r - 1;
        long[] strides = in.strides();
        int loops = wholeRows ? Math.max(0, r - 1) : r - 1; // the axes of the result that are walked outside of a row
        int[] extents = new int[loops];
        long[] steps = new long[loops];
        for (int a = 0; a < loops; a++) {
            extents[a] = in.dim(op.perm().get(a));
            steps[a] = width * strides[op.perm().get(a)];
        }
        int row = r == 0 ? 1 : in.dim(op.perm().getLast());
        long step = r == 0 ? 0 : width * strides[op.perm().getLast()];
        long rows = row == 0 ? 0 : in.size() / row;
        int chunks = Parallel.chunks(rows, Math.max(1, GRAIN / ((long) width * Math.max(1, row))));
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long y = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long end = Parallel.from(k + 1, chunks, rows, 1);
                for (long i = Parallel.from(k, chunks, rows, 1); i < end; i++) {
                    long from = x + offset(i, extents, steps);
                    long to = y + i * row * width;
                    if (wholeRows) {
                        copy(from, to, (long) row * width);
                    } else {
                        gather(from, step, to, row, width);
                    }
                }
            });
        });
    }

    private static long offset(long index, int[] extents, long[] steps) {
        long o = 0;
        for (int a = extents.length - 1; a >= 0; a--) {
            o += index % extents[a] * steps[a];
            index /= extents[a];
        }
        return o;
    }

    private static void gather(long from, long step, long to, int n, int width) {
        if (width == 8) {
            for (int i = 0; i < n; i++) {
                ALL.set(Native.LONG, to + 8L * i, ALL.get(Native.LONG, from + step * i));
            }
            return;
        }
        if (width == 2) {
            for (int i = 0; i < n; i++) {
                ALL.set(SHORT, to + 2L * i, ALL.get(SHORT, from + step * i));
            }
            return;
        }
        for (int i = 0; i < n; i++) {
            ALL.set(Native.INT, to + 4L * i, ALL.get(Native.INT, from + step * i));
        }
    }

    /**
     * Returns the kernel of an upsampling.
     *
     * @param in the shape [B,H,W,C]
     */
    public static CpuKernel upsample(Parallel parallel, int factor, Shape in, int width) {
        int rows = in.dim(0) * in.dim(1);
        int columns = in.dim(2);
        long pixel = (long) width * in.dim(3);
        long line = pixel * columns * factor;
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long y = p.out(0);
            return () -> parallel.run(rows, (r, temp) -> {
                long to = y + r * line * factor;
                for (int i = 0; i < columns * factor; i++) {
                    copy(x + ((long) r * columns + i / factor) * pixel, to + i * pixel, pixel);
                }
                for (int f = 1; f < factor; f++) {
                    copy(to, to + f * line, line);
                }
            });
        });
    }

    /**
     * Returns the kernel of a gather.
     *
     * @param table the shape [V,C]
     */
    public static CpuKernel gather(Shape table, long ids, int width) {
        long bytes = (long) width * table.dim(1);
        return CpuKernel.of(p -> {
            long from = p.in(0);
            long index = p.in(1);
            long to = p.out(0);
            return () -> {
                for (long i = 0; i < ids; i++) {
                    long id = ALL.get(Native.LONG, index + 8 * i);
                    if (id < 0 || id >= table.dim(0)) {
                        throw new IllegalArgumentException("gather: id " + id + " is outside of table " + table
                                + "; ids go from 0 to " + (table.dim(0) - 1));
                    }
                    copy(from + id * bytes, to + i * bytes, bytes);
                }
            };
        });
    }
}
