// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cuda.driver.Blas;
import org.tweedie.device.cuda.driver.Blas.Gemm;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.MatMul;

/**
 * Computes matrix products with cuBLAS, which stores matrices by column: a row-major C [M,N] is a C^T [N,M] to it. So C = A' B'
 * is computed as C^T = B'^T A'^T. Leading axes that broadcast get strides of 0; products that no single stride reaches become
 * several calls.
 */
final class Cublas implements Vendor {
    /** A product and the offsets of its matrices, in elements from the start of their buffers. */
    record Part(Gemm gemm, long a, long b, long c) {}

    private final Blas blas;

    Cublas(Blas blas) {
        this.blas = blas;
    }

    @Override
    public Prepared prepare(LibraryCall call) {
        if (!(call.op() instanceof MatMul op) || call.epilogue().silu() || call.in().size() != (call.epilogue().residual()
                ? 3 : 2)) {
            throw new IllegalArgumentException("cublas: expected a product of two matrices whose bias is already in the "
                    + "result, got " + call);
        }
        DType dtype = call.out().getFirst().dtype();
        for (Buffer b : call.in()) {
            if (b.dtype() != dtype) {
                throw new IllegalArgumentException("cublas: expected operands of type " + dtype + ", got " + call);
            }
        }
        List<Part> parts = parts(op, dtype, call.in().get(0).shape(), call.in().get(1).shape(), call.out().getFirst().shape(),
                call.epilogue().residual());
        return new Prepared() {
            @Override
            public long workspace() {
                return 0; // the handle has working memory of its own
            }

            @Override
            public void run(LibraryCall c, long workspace) {
                long a = c.in().get(0).address();
                long b = c.in().get(1).address();
                long y = c.out().getFirst().address();
                parts.forEach(p -> blas.gemm(p.gemm, b + p.b * dtype.bytes(), a + p.a * dtype.bytes(), y + p.c * dtype.bytes()));
            }

            @Override
            public String toString() {
                Gemm g = parts.getFirst().gemm;
                return "cublas " + g.n() + "x" + g.m() + "x" + g.k() + (g.count() > 1 ? " by " + g.count() : "")
                        + (parts.size() > 1 ? ", " + parts.size() + " calls" : "");
            }

            @Override
            public void close() {}
        };
    }

    /** Cuts a product into calls of cuBLAS, whose A is our b and whose B is our a. */
    static List<Part> parts(MatMul op, DType dtype, Shape a, Shape b, Shape c, boolean accumulate) {
        int m = c.dim(-2);
        int n = c.dim(-1);
        int k = a.dim(op.transA() ? -2 : -1);
        long count = c.size() / ((long) m * n);
        float beta = accumulate ? 1 : 0;
        // one matrix for all: a single tall product
        if (count > 1 && b.size() == (long) k * n && !op.transA() && a.size() == count * m * k
                && count * m <= Integer.MAX_VALUE) {
            m *= (int) count;
            count = 1;
        }
        long[] atA = starts(a, c, (long) m * k, count);
        long[] atB = starts(b, c, (long) k * n, count);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < count; ) {
            int run = run(atA, atB, i);
            long strideA = run == 1 ? 0 : atA[i + 1] - atA[i];
            long strideB = run == 1 ? 0 : atB[i + 1] - atB[i];
            Gemm g = new Gemm(dtype, op.transB(), op.transA(), n, m, k, b.dim(-1), strideB, a.dim(-1), strideA, n, run == 1
                    ? 0 : (long) m * n, run, beta);
            parts.add(new Part(g, atA[i], atB[i], (long) i * m * n));
            i += run;
        }
        return parts;
    }

    /** Returns where the matrix of each product starts; leading axes are broadcast to those of the result. */
    private static long[] starts(Shape x, Shape c, long matrix, long count) {
        long[] at = new long[Math.toIntExact(count)];
        for (int i = 0; i < count && count > 1; i++) {
            long rest = i;
            long step = matrix;
            for (int axis = c.rank() - 3; axis >= 0; axis--) {
                int own = axis - (c.rank() - x.rank()); // axes are matched from the last
                int extent = own < 0 ? 1 : x.dim(own);
                at[i] += extent == 1 ? 0 : rest % c.dim(axis) * step;
                step *= extent;
                rest /= c.dim(axis);
            }
        }
        return at;
    }

    /** Returns how many products from i on follow each other at even strides. */
    private static int run(long[] a, long[] b, int i) {
        int end = i + 1;
        while (end < a.length && (end == i + 1 ? a[end] >= a[i] && b[end] >= b[i] : a[end] - a[end - 1] == a[i + 1] - a[i]
                && b[end] - b[end - 1] == b[i + 1] - b[i])) {
            end++;
        }
        return end - i;
    }

    @Override
    public void close() {
        blas.close();
    }
}
