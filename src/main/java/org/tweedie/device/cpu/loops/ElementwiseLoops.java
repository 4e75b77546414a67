// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import static org.tweedie.device.cpu.loops.Strips.STRIP;
import static org.tweedie.device.cpu.loops.VectorMath.L;
import static org.tweedie.device.cpu.loops.VectorMath.all;
import static org.tweedie.device.cpu.loops.VectorMath.get;
import static org.tweedie.device.cpu.loops.VectorMath.load;
import static org.tweedie.device.cpu.loops.VectorMath.set;
import static org.tweedie.device.cpu.loops.VectorMath.store;

import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.Binary;

/** Computes affine maps, and arithmetic with numpy's broadcasting. */
public final class ElementwiseLoops {
    private static final long GRAIN = 1 << 15;

    private ElementwiseLoops() {}

    /** @param real the type of operand and result: F32 or BF16, here and below */
    public static CpuKernel affine(Parallel parallel, DType real, double scale, double shift, long n) {
        int chunks = Parallel.chunks(n, GRAIN);
        if (real == DType.BF16) {
            return CpuKernel.of(p -> {
                long x = p.in(0);
                long y = p.out(0);
                return () -> parallel.run(chunks, (k, temp) -> {
                    long end = Parallel.from(k + 1, chunks, n, 64);
                    for (long i = Parallel.from(k, chunks, n, 64); i < end; i += STRIP) {
                        int count = (int) Math.min(STRIP, end - i);
                        Brain.widen(x + 2 * i, temp, count);
                        Strips.affine(temp, (float) scale, (float) shift, temp, count);
                        Brain.narrow(temp, y + 2 * i, count);
                    }
                });
            });
        }
        return CpuKernel.of(p -> {
            long x = p.in(0);
            long y = p.out(0);
            return () -> parallel.run(chunks, (k, temp) -> {
                long from = Parallel.from(k, chunks, n, 64);
                Strips.affine(x + 4 * from, (float) scale, (float) shift, y + 4 * from,
                        (int) (Parallel.from(k + 1, chunks, n, 64) - from));
            });
        });
    }

    /**
     * The axes of a broadcast after joining neighbours that are walked alike: extents, and the strides of both operands in
     * elements (0 where an operand is repeated). The last axis has strides 0 or 1.
     */
    record Axes(int[] extents, long[] strideX, long[] strideY) {
        static Axes of(Shape out, Shape x, Shape y) {
            // each entry has the extent, the stride of x and the stride of y; the innermost axis is first
            List<long[]> axes = new ArrayList<>();
            long sx = 1;
            long sy = 1;
            for (int i = 1; i <= out.rank(); i++) {
                long dx = i <= x.rank() ? x.dim(-i) : 1;
                long dy = i <= y.rank() ? y.dim(-i) : 1;
                long[] axis = {out.dim(-i), dx == 1 ? 0 : sx, dy == 1 ? 0 : sy};
                sx *= dx;
                sy *= dy;
                long[] inner = axes.isEmpty() ? null : axes.getLast();
                if (axis[0] == 1) {
                    continue;
                }
                if (inner != null && axis[1] == inner[0] * inner[1] && axis[2] == inner[0] * inner[2]) {
                    inner[0] *= axis[0];
                } else {
                    axes.add(axis);
                }
            }
            if (axes.isEmpty()) {
                axes.add(new long[] {1, 0, 0});
            }
            List<long[]> a = axes.reversed();
            return new Axes(a.stream().mapToInt(v -> Math.toIntExact(v[0])).toArray(), a.stream().mapToLong(v -> v[1]).toArray(),
                    a.stream().mapToLong(v -> v[2]).toArray());
        }

        int inner() {
            return extents[extents.length - 1];
        }

        long rows() {
            long n = 1;
            for (int i = 0; i < extents.length - 1; i++) {
                n *= extents[i];
            }
            return n;
        }

        /** Returns the element offset of a row in an operand with these strides. */
        long offset(long row, long[] strides) {
            long o = 0;
            for (int i = extents.length - 2; i >= 0; i--) {
                o += row % extents[i] * strides[i];
                row /= extents[i];
            }
            return o;
        }
    }

    public static CpuKernel binary(Parallel parallel, DType real, Binary.Kind kind, Shape out, Shape x, Shape y) {
        Axes a = Axes.of(out, x, y);
        long rows = a.rows();
        int inner = a.inner();
        // few long rows are cut into pieces, many short ones are processed together
        int cuts = Parallel.chunks(inner, GRAIN);
        int groups = Parallel.chunks(rows, Math.max(1, GRAIN / inner));
        boolean repeatX = a.strideX[a.extents.length - 1] == 0;
        boolean repeatY = a.strideY[a.extents.length - 1] == 0;
        int width = real.bytes();
        return CpuKernel.of(p -> {
            long px = p.in(0);
            long py = p.in(1);
            long pz = p.out(0);
            return () -> parallel.run(groups * cuts, (k, temp) -> {
                long i = Parallel.from(k % cuts, cuts, inner, 64);
                int n = (int) (Parallel.from(k % cuts + 1, cuts, inner, 64) - i);
                long to = Parallel.from(k / cuts + 1, groups, rows, 1);
                for (long row = Parallel.from(k / cuts, groups, rows, 1); row < to; row++) {
                    long ax = px + width * (a.offset(row, a.strideX) + (repeatX ? 0 : i));
                    long ay = py + width * (a.offset(row, a.strideY) + (repeatY ? 0 : i));
                    long az = pz + width * (row * inner + i);
                    if (real == DType.F32) {
                        row(kind, ax, repeatX, ay, repeatY, az, n);
                    } else {
                        brainRow(kind, ax, repeatX, ay, repeatY, az, n, temp);
                    }
                }
            });
        });
    }

    private static void row(Binary.Kind kind, long x, boolean repeatX, long y, boolean repeatY, long z, int n) {
        if (repeatX && repeatY) {
            Strips.fill(z, scalar(kind, get(x), get(y)), n);
        } else if (repeatX) {
            left(kind, get(x), y, z, n);
        } else if (repeatY) {
            right(kind, x, get(y), z, n);
        } else {
            both(kind, x, y, z, n);
        }
    }

    /** Does a row in BF16, a strip at a time. */
    private static void brainRow(Binary.Kind kind, long x, boolean repeatX, long y, boolean repeatY, long z, int n, long temp) {
        long y32 = temp + 4L * STRIP;
        for (int i = 0; i < n; i += STRIP) {
            int count = Math.min(STRIP, n - i);
            Brain.widen(repeatX ? x : x + 2L * i, temp, repeatX ? 1 : count);
            Brain.widen(repeatY ? y : y + 2L * i, y32, repeatY ? 1 : count);
            row(kind, temp, repeatX, y32, repeatY, y32 + 4L * STRIP, count);
            Brain.narrow(y32 + 4L * STRIP, z + 2L * i, count);
        }
    }

    private static float scalar(Binary.Kind kind, float x, float y) {
        return switch (kind) {
            case ADD -> x + y;
            case SUB -> x - y;
            case MUL -> x * y;
            case DIV -> x / y;
        };
    }

    private static void left(Binary.Kind kind, float x, long y, long z, int n) {
        FloatVector v = all(x);
        int i = 0;
        switch (kind) {
            case ADD -> {
                for (; i <= n - L; i += L) {
                    store(v.add(load(y + 4L * i)), z + 4L * i);
                }
            }
            case SUB -> {
                for (; i <= n - L; i += L) {
                    store(v.sub(load(y + 4L * i)), z + 4L * i);
                }
            }
            case MUL -> {
                for (; i <= n - L; i += L) {
                    store(v.mul(load(y + 4L * i)), z + 4L * i);
                }
            }
            case DIV -> {
                for (; i <= n - L; i += L) {
                    store(v.div(load(y + 4L * i)), z + 4L * i);
                }
            }
        }
        for (; i < n; i++) {
            set(z + 4L * i, scalar(kind, x, get(y + 4L * i)));
        }
    }

    private static void right(Binary.Kind kind, long x, float y, long z, int n) {
        FloatVector v = all(y);
        int i = 0;
        switch (kind) {
            case ADD -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).add(v), z + 4L * i);
                }
            }
            case SUB -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).sub(v), z + 4L * i);
                }
            }
            case MUL -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).mul(v), z + 4L * i);
                }
            }
            case DIV -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).div(v), z + 4L * i);
                }
            }
        }
        for (; i < n; i++) {
            set(z + 4L * i, scalar(kind, get(x + 4L * i), y));
        }
    }

    private static void both(Binary.Kind kind, long x, long y, long z, int n) {
        int i = 0;
        switch (kind) {
            case ADD -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).add(load(y + 4L * i)), z + 4L * i);
                }
            }
            case SUB -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).sub(load(y + 4L * i)), z + 4L * i);
                }
            }
            case MUL -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).mul(load(y + 4L * i)), z + 4L * i);
                }
            }
            case DIV -> {
                for (; i <= n - L; i += L) {
                    store(load(x + 4L * i).div(load(y + 4L * i)), z + 4L * i);
                }
            }
        }
        for (; i < n; i++) {
            set(z + 4L * i, scalar(kind, get(x + 4L * i), get(y + 4L * i)));
        }
    }

    /** Copies with repetition: rows of the larger shape are copied or filled. */
    public static CpuKernel broadcast(Parallel parallel, DType real, Shape out, Shape x) {
        Axes a = Axes.of(out, x, Shape.of());
        long rows = a.rows();
        int inner = a.inner();
        int groups = Parallel.chunks(rows, Math.max(1, GRAIN / inner));
        boolean repeat = a.strideX[a.extents.length - 1] == 0;
        int width = real.bytes();
        return CpuKernel.of(p -> {
            long px = p.in(0);
            long py = p.out(0);
            return () -> parallel.run(groups, (k, temp) -> {
                long to = Parallel.from(k + 1, groups, rows, 1);
                for (long row = Parallel.from(k, groups, rows, 1); row < to; row++) {
                    long from = px + width * a.offset(row, a.strideX);
                    if (!repeat) {
                        MoveLoops.copy(from, py + width * row * inner, (long) width * inner);
                    } else if (real == DType.F32) {
                        Strips.fill(py + 4 * row * inner, get(from), inner);
                    } else {
                        MoveLoops.fill16(py + 2 * row * inner, from, inner);
                    }
                }
            });
        });
    }
}
