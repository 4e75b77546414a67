// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.List;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * Measurement operators on pictures [B,H,W,3] and their adjoints, all in F32: launches of kernels/measure.cu. What an operator is made of (taps, kernel,
 * mask) is its second operand.
 */
public final class Measures {
    private static final int THREADS = 256;
    /** Columns of a block of {@code correlate}, and results of one of its threads. */
    private static final int COLUMNS = 32;
    private static final int EACH = 4;
    /** Pixels of a block of {@code convolve}. */
    private static final int ACROSS = 32;
    private static final int DOWN = 8;
    /** Floats of shared memory that a block may have on any device. */
    private static final int SHARED = 48 * 1024 / 4;

    private Measures() {}

    /** How a line of a picture goes on beyond its ends. */
    public enum Border {
        /** The edge once: .. 2 1 | 0 1 2 .. */
        REFLECT,
        /** The edge twice: .. 1 0 | 0 1 2 .. */
        MIRROR
    }

    /**
     * A map of lines, y[i] = sum over t of taps[t] x[i stride + offset + t], used on the rows and on the columns of pictures whose sides are multiples of
     * the stride. A blur of 2 r + 1 taps has stride 1 and offset -r.
     *
     * @param offset not above 0
     */
    public record Separable(int taps, int stride, int offset, Border border) {
        public Separable {
            if (taps < 1 || stride < 1 || offset > 0) {
                throw new IllegalArgumentException("separable: expected taps, a stride of 1 or more and an offset of 0 or less, got "
                        + taps + ", " + stride + " and " + offset);
            }
        }

        private Shape result(Shape x) {
            if (x.dim(1) % stride != 0 || x.dim(2) % stride != 0) {
                throw new IllegalArgumentException("separable: sides of " + x + " are not multiples of " + stride);
            }
            return Shape.of(x.dim(0), x.dim(1) / stride, x.dim(2) / stride, x.dim(3));
        }
    }

    /** Operands x [B,H,W,3] and taps; result y [B,H/stride,W/stride,3]: rows of the picture are combined, then its columns. */
    public static GpuKernel separable(Separable s, Shape x) {
        Shape y = s.result(x);
        Shape between = x.with(1, y.dim(1)); // [B,h,W,3]
        return new GpuKernel(4 * between.size(), p -> {
            Buffer t = new Buffer("rows done", DType.F32, between, p.scratch());
            return List.of(line(s, false, x.dim(0), x.dim(1), y.dim(1), x.dim(2) * x.dim(3), p.in(0), p.in(1), t),
                    line(s, false, (long) x.dim(0) * y.dim(1), x.dim(2), y.dim(2), x.dim(3), t, p.in(1), p.out(0)));
        });
    }

    /** The adjoint: operands y and taps; result x of the given shape. */
    public static GpuKernel separableVjp(Separable s, Shape x) {
        Shape y = s.result(x);
        Shape between = x.with(1, y.dim(1)); // [B,h,W,3]
        return new GpuKernel(4 * between.size(), p -> {
            Buffer t = new Buffer("columns done", DType.F32, between, p.scratch());
            return List.of(line(s, true, (long) x.dim(0) * y.dim(1), x.dim(2), y.dim(2), x.dim(3), p.in(0), p.in(1), t),
                    line(s, true, x.dim(0), x.dim(1), y.dim(1), x.dim(2) * x.dim(3), t, p.in(1), p.out(0)));
        });
    }

    /** Lines of n to lines of m, or (adjoint) back; they lie as [outer,n or m,inner]. */
    private static Launch line(Separable s, boolean adjoint, long outer, int n, int m, int inner, Buffer from, Buffer taps, Buffer to) {
        require(from, taps, to);
        int columns = Math.min(inner, COLUMNS);
        int tiles = (inner + columns - 1) / columns;
        int results = EACH * (THREADS / columns);
        int made = adjoint ? n : m;
        Arg size = new Arg.Ints(n, m, inner, s.taps, s.stride, s.offset, s.border == Border.MIRROR ? 1 : 0);
        return new Launch("measure", adjoint ? "correlate_vjp_f32" : "correlate_forward_f32", Launch.Dim.of(outer * tiles, (made + results - 1) / results),
                Launch.Dim.of(THREADS), 0,
                List.of(new Arg.In(from), new Arg.In(taps), new Arg.Out(to), size, Divisor.of(columns).arg(), Divisor.of(tiles).arg()));
    }

    /**
     * y[b,i,j] = sum over u, v of kernel[u,v] x[b, i + u - up, j + v - left], the picture reflected at its ends, the edge once: operands
     * x [B,H,W,3] and kernel [kh,kw]; result y like x.
     */
    public static GpuKernel convolve(Shape x, int kh, int kw, int up, int left) {
        return plane("convolve_forward_f32", x, kh, kw, up, left);
    }

    /** The adjoint: operands y and the same kernel; result x. */
    public static GpuKernel convolveVjp(Shape x, int kh, int kw, int up, int left) {
        return plane("convolve_vjp_f32", x, kh, kw, up, left);
    }

    private static GpuKernel plane(String entry, Shape x, int kh, int kw, int up, int left) {
        int row = 3 * (ACROSS - 1 + kw);
        if (x.dim(3) != 3 || up < 0 || up >= kh || left < 0 || left >= kw || row > SHARED) {
            throw new IllegalArgumentException("convolve: expected pictures [B,H,W,3] and a place (" + up + "," + left + ") inside of a kernel " + kh + "x" + kw
                    + " at most " + (SHARED / 3 - ACROSS + 1) + " wide, got " + x);
        }
        int rows = Math.min(DOWN - 1 + kh, SHARED / row);
        Launch.Dim grid = new Launch.Dim((x.dim(2) + ACROSS - 1) / ACROSS, (x.dim(1) + DOWN - 1) / DOWN, x.dim(0));
        Arg size = new Arg.Ints(x.dim(1), x.dim(2), kh, kw, up, left, rows);
        return GpuKernel.of(p -> {
            require(p.in(0), p.in(1), p.out(0));
            return new Launch("measure", entry, grid, Launch.Dim.of(ACROSS, DOWN), 4 * rows * row,
                    List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.Out(p.out(0)), size, Divisor.of(row).arg()));
        });
    }

    /** y = mask x, its own adjoint: operands x [B,H,W,3] and mask [H,W]; in place of x if need be. */
    public static GpuKernel mask(Shape x) {
        int n = Math.toIntExact(x.size() / 3);
        return GpuKernel.of(p -> {
            require(p.in(0), p.in(1), p.out(0));
            return new Launch("measure", "mask_forward_f32", Launch.blocks(n, THREADS), Launch.Dim.of(THREADS), 0,
                    List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.Out(p.out(0)), new Arg.I32(n), Divisor.of(n / x.dim(0)).arg()));
        });
    }

    private static void require(Buffer... all) {
        for (Buffer b : all) {
            if (b.dtype() != DType.F32) {
                throw new IllegalArgumentException("measures: expected F32, got " + b);
            }
        }
    }
}
