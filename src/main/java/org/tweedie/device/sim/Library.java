// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.plan.Elements;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;
import org.tweedie.program.op.MatMul;

/**
 * Does the calls of a vendor's library in double precision: each result is rounded once, to its buffer's type, after bias,
 * residual and SiLU. Convolutions and products are sums, over the taps of a filter, of a row of numbers times a matrix; four such
 * rows are done at once, so that the matrix is read once for them. Each result is summed in one order, whatever the number of
 * threads or the width of vectors.
 */
final class Library implements AutoCloseable {
    private static final VectorSpecies<Double> S = DoubleVector.SPECIES_PREFERRED;
    private static final int L = S.length();
    private static final int ROWS = 4; // done at once

    private final ForkJoinPool pool; // null: one thread, the caller's

    Library(int threads) {
        pool = threads == 1 ? null : new ForkJoinPool(threads);
    }

    /** Reads and writes memory that the caller has checked. */
    void run(LibraryCall c) {
        Shape x = c.in().get(0).shape();
        Shape w = c.in().get(1).shape();
        Shape y = c.out().getFirst().shape();
        List<double[]> results = switch (c.op()) {
            case Convolution o -> List.of(convolve(c, filter(c.in().get(1), true), forward(o, x, y, w)));
            case ConvolutionVjp o -> List.of(convolve(c, filter(c.in().get(1), false), adjoint(o.of(), x, y, w)));
            case MatMul o -> List.of(multiply(o, c));
            case DotProductAttention o -> attend(o, c);
            case DotProductAttentionVjp o -> attend(o.of(), c);
            default -> throw new IllegalArgumentException("device 'sim': " + c.op() + " is no library's");
        };
        for (int i = 0; i < results.size(); i++) {
            put(results.get(i), c.epilogue().silu(), c.out().get(i));
        }
    }

    /** Rounds numbers, or silu of them, to a buffer's type. */
    private static void put(double[] x, boolean silu, Buffer b) {
        MemorySegment to = bytes(b);
        for (int i = 0; i < x.length; i++) {
            Elements.put(to, b.dtype(), i, silu ? x[i] / (1 + Math.exp(-x[i])) : x[i]);
        }
    }

    private static MemorySegment bytes(Buffer b) {
        return MemorySegment.ofAddress(b.address()).reinterpret(b.bytes());
    }

    /** A buffer's elements, and some zeros behind them. */
    private static double[] numbers(Buffer b, int zeros) {
        double[] x = new double[Math.toIntExact(b.size()) + zeros];
        Tensor t = new Tensor(b.dtype(), b.shape(), bytes(b));
        for (int i = 0; i < b.size(); i++) {
            x[i] = t.get(i);
        }
        return x;
    }

    /**
     * A convolution's weight [Cout,kh,kw,Cin] as a matrix for each of its kh kw taps: [Cin,Cout], or [Cout,Cin] for the adjoint.
     */
    private static double[] filter(Buffer w, boolean transposed) {
        double[] from = numbers(w, 2 * L);
        int cout = w.shape().dim(0);
        int taps = w.shape().dim(1) * w.shape().dim(2);
        int cin = w.shape().dim(3);
        double[] to = new double[from.length];
        for (int o = 0; o < cout; o++) {
            for (int k = 0; k < taps; k++) {
                for (int c = 0; c < cin; c++) {
                    to[transposed ? (k * cin + c) * cout + o : (k * cout + o) * cin + c] = from[(o * taps + k) * cin + c];
                }
            }
        }
        return to;
    }

    /** The pixel of the input that a pixel of the result meets through a tap; -1 where it meets none. */
    private interface Taps {
        int source(int pixel, int tap);
    }

    /** Row r of the image, seen through tap u, is row r stride + u - top of x. */
    private static Taps forward(Convolution o, Shape x, Shape y, Shape w) {
        return (pixel, tap) -> {
            int row = pixel / y.dim(2) % y.dim(1) * o.stride() + tap / w.dim(2) - o.top();
            int column = pixel % y.dim(2) * o.stride() + tap % w.dim(2) - o.left();
            boolean inside = row >= 0 && row < x.dim(1) && column >= 0 && column < x.dim(2);
            return inside ? (pixel / (y.dim(1) * y.dim(2)) * x.dim(1) + row) * x.dim(2) + column : -1;
        };
    }

    /** The rows as the pixels of dx see them: which of dy's rows r has r stride + u - top there. */
    private static Taps adjoint(Convolution o, Shape dy, Shape dx, Shape w) {
        return (pixel, tap) -> {
            int row = pixel / dx.dim(2) % dx.dim(1) + o.top() - tap / w.dim(2);
            int column = pixel % dx.dim(2) + o.left() - tap % w.dim(2);
            boolean inside = row >= 0 && column >= 0 && row % o.stride() == 0 && column % o.stride() == 0
                    && row / o.stride() < dy.dim(1) && column / o.stride() < dy.dim(2);
            return inside ? (pixel / (dx.dim(1) * dx.dim(2)) * dy.dim(1) + row / o.stride()) * dy.dim(2) + column / o.stride()
                    : -1;
        };
    }

    private double[] convolve(LibraryCall c, double[] matrices, Taps taps) {
        Shape w = c.in().get(1).shape();
        int k = c.in().getFirst().shape().dim(3);
        int n = c.out().getFirst().shape().dim(3);
        int tapCount = w.dim(1) * w.dim(2);
        double[] from = numbers(c.in().getFirst(), k); // the zeros: a pixel outside
        double[] to = begin(c);
        int pixels = to.length / n;
        each((pixels + ROWS - 1) / ROWS, tile -> {
            int[] at = new int[tapCount * ROWS];
            for (int i = 0; i < at.length; i++) {
                int pixel = tile * ROWS + i % ROWS;
                int source = pixel < pixels ? taps.source(pixel, i / ROWS) : -1;
                at[i] = source < 0 ? from.length - k : source * k;
            }
            addTile(from, at, k, matrices, 0, n, to, tile * ROWS * n, Math.min(ROWS, pixels - tile * ROWS));
        });
        return to;
    }

    private double[] multiply(MatMul o, LibraryCall call) {
        Buffer a = call.in().get(0);
        Buffer b = call.in().get(1);
        Shape c = call.out().getFirst().shape();
        int m = c.dim(-2);
        int n = c.dim(-1);
        int k = a.shape().dim(o.transA() ? -2 : -1);
        double[] left = matrices(a, o.transA());
        double[] right = matrices(b, o.transB());
        double[] to = begin(call);
        int tiles = (m + ROWS - 1) / ROWS;
        each(to.length / n / m * tiles, t -> {
            int batch = t / tiles;
            int row = t % tiles * ROWS;
            int[] at = new int[ROWS];
            for (int i = 0; i < ROWS; i++) {
                at[i] = (matrix(batch, a.shape(), c) * m + Math.min(m - 1, row + i)) * k;
            }
            addTile(left, at, k, right, matrix(batch, b.shape(), c) * k * n, n, to, (batch * m + row) * n,
                    Math.min(ROWS, m - row));
        });
        return to;
    }

    /** Computes attention or its pull-back. */
    private List<double[]> attend(DotProductAttention o, LibraryCall c) {
        LibraryAttention a = new LibraryAttention(o, c.in().get(0).shape(), c.in().get(1).shape(), c.in().stream()
                .map(b -> numbers(b, 0)).toList());
        List<double[]> out = c.out().stream().map(b -> new double[Math.toIntExact(b.size())]).toList();
        each(a.heads(), head -> a.run(head, out));
        return out;
    }

    /** Exchanges the last two axes if it is told to. */
    private static double[] matrices(Buffer b, boolean transposed) {
        double[] from = numbers(b, 2 * L);
        if (!transposed) {
            return from;
        }
        int rows = b.shape().dim(-2);
        int columns = b.shape().dim(-1);
        double[] to = new double[from.length];
        for (int i = 0; i < b.size(); i++) {
            int at = i % (rows * columns);
            to[i - at + at % columns * rows + at / columns] = from[i];
        }
        return to;
    }

    /** The number of the matrix of an operand, whose leading axes broadcast, for a batch number of the result. */
    private static int matrix(int batch, Shape operand, Shape result) {
        int number = 0;
        int stride = 1;
        for (int axis = -3; -axis <= result.rank(); axis--) {
            int index = batch % result.dim(axis);
            batch /= result.dim(axis);
            if (-axis <= operand.rank()) {
                number += operand.dim(axis) == 1 ? 0 : index * stride;
                stride *= operand.dim(axis);
            }
        }
        return number;
    }

    /** The numbers to which the sums are added: bias and residual. */
    private static double[] begin(LibraryCall c) {
        Shape y = c.out().getFirst().shape();
        double[] to = new double[Math.toIntExact(y.size())];
        add(to, c.bias(), to.length);
        add(to, c.residual(), c.residual() == null ? 0 : to.length / y.dim(0));
        return to;
    }

    /**
     * Adds a buffer, if there is one, to numbers of so many a sample: as it is, or its last axis for all pixels of its sample.
     */
    private static void add(double[] to, Buffer b, int sample) {
        if (b == null) {
            return;
        }
        double[] x = numbers(b, 0);
        int channels = b.shape().dim(-1);
        for (int i = 0; i < to.length; i++) {
            to[i] += x.length == to.length ? x[i] : x[i / sample * channels + i % channels];
        }
    }

    /**
     * c[r][0..n) += sum over taps t of a[at[t][r]..+k) b[t][0..k)[0..n), for up to four rows r from offset ic.
     *
     * @param b from offset ib, with two vectors more behind it than is used
     */
    private static void addTile(double[] a, int[] at, int k, double[] b, int ib, int n, double[] c, int ic, int rows) {
        for (int j = 0; j < n; j += 2 * L) {
            DoubleVector p0 = DoubleVector.zero(S);
            DoubleVector p1 = p0;
            DoubleVector q0 = p0;
            DoubleVector q1 = p0;
            DoubleVector r0 = p0;
            DoubleVector r1 = p0;
            DoubleVector s0 = p0;
            DoubleVector s1 = p0;
            for (int t = 0; t < at.length; t += ROWS) {
                int row = ib + t / ROWS * k * n + j;
                for (int i = 0; i < k; i++) {
                    DoubleVector b0 = DoubleVector.fromArray(S, b, row + i * n);
                    DoubleVector b1 = DoubleVector.fromArray(S, b, row + i * n + L);
                    DoubleVector x = DoubleVector.broadcast(S, a[at[t] + i]);
                    p0 = x.fma(b0, p0);
                    p1 = x.fma(b1, p1);
                    x = DoubleVector.broadcast(S, a[at[t + 1] + i]);
                    q0 = x.fma(b0, q0);
                    q1 = x.fma(b1, q1);
                    x = DoubleVector.broadcast(S, a[at[t + 2] + i]);
                    r0 = x.fma(b0, r0);
                    r1 = x.fma(b1, r1);
                    x = DoubleVector.broadcast(S, a[at[t + 3] + i]);
                    s0 = x.fma(b0, s0);
                    s1 = x.fma(b1, s1);
                }
            }
            add(rows > 0, c, ic, j, n, p0, p1);
            add(rows > 1, c, ic + n, j, n, q0, q1);
            add(rows > 2, c, ic + 2 * n, j, n, r0, r1);
            add(rows > 3, c, ic + 3 * n, j, n, s0, s1);
        }
    }

    /** Adds two vectors to the elements of a row from j on, as far as the row goes. */
    private static void add(boolean there, double[] c, int row, int j, int n, DoubleVector x0, DoubleVector x1) {
        if (!there) {
            return;
        }
        VectorMask<Double> m0 = S.indexInRange(j, n);
        VectorMask<Double> m1 = S.indexInRange(j + L, n);
        DoubleVector.fromArray(S, c, row + j, m0).add(x0).intoArray(c, row + j, m0);
        DoubleVector.fromArray(S, c, row + j + L, m1).add(x1).intoArray(c, row + j + L, m1);
    }

    private void each(int pieces, IntConsumer piece) {
        if (pool == null) {
            IntStream.range(0, pieces).forEach(piece);
        } else {
            pool.submit(() -> IntStream.range(0, pieces).parallel().forEach(piece)).join();
        }
    }

    @Override
    public void close() {
        if (pool != null) {
            pool.close();
        }
    }
}
