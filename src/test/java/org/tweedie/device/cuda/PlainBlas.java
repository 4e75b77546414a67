// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.tweedie.device.cuda.driver.Blas;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.gpu.plan.Elements;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.ptx.launch.Memory;

/** Computes cuBLAS's gemm as its documentation describes it, in double precision, with matrices by column. */
final class PlainBlas implements Blas {
    private final Consumer<Runnable> start;
    private final Memory memory;
    private final Runnable closed;

    PlainBlas(Consumer<Runnable> start, Memory memory, Runnable closed) {
        this.start = start;
        this.memory = memory;
        this.closed = closed;
    }

    @Override
    public int version() {
        return 120600;
    }

    @Override
    public void gemm(Gemm g, long a, long b, long c) {
        int rowsA = g.transA() ? g.k() : g.m();
        int rowsB = g.transB() ? g.n() : g.k();
        if (g.lda() < rowsA || g.ldb() < rowsB || g.ldc() < g.m() || g.count() < 1
                || (g.count() > 1 && g.strideC() < (long) g.ldc() * g.n())) {
            throw new CudaException("cublasGemmEx", 7, "CUBLAS_STATUS_INVALID_VALUE",
                    "a leading dimension or stride is too small: " + g);
        }
        start.accept(() -> {
            for (int i = 0; i < g.count(); i++) {
                one(g, a + i * g.strideA() * g.dtype().bytes(), b + i * g.strideB() * g.dtype().bytes(),
                        c + i * g.strideC() * g.dtype().bytes());
            }
        });
    }

    private void one(Gemm g, long a, long b, long c) {
        Tensor x = tensor(g.dtype(), a, (long) g.lda() * (g.transA() ? g.m() : g.k()));
        Tensor y = tensor(g.dtype(), b, (long) g.ldb() * (g.transB() ? g.k() : g.n()));
        long size = (long) g.ldc() * g.n();
        if (g.beta() != 0 && !memory.written(c, size * g.dtype().bytes())) {
            throw new AssertionError("gemm adds to what is not written: " + g);
        }
        MemorySegment z = MemorySegment.ofAddress(c).reinterpret(size * g.dtype().bytes());
        Tensor old = new Tensor(g.dtype(), Shape.of(Math.toIntExact(size)), z);
        for (int col = 0; col < g.n(); col++) {
            for (int row = 0; row < g.m(); row++) {
                double sum = g.beta() == 0 ? 0 : g.beta() * old.get((long) col * g.ldc() + row);
                for (int k = 0; k < g.k(); k++) {
                    sum += x.get(g.transA() ? (long) row * g.lda() + k : (long) k * g.lda() + row) * y.get(g.transB()
                            ? (long) k * g.ldb() + col : (long) col * g.ldb() + k);
                }
                Elements.put(z, g.dtype(), (long) col * g.ldc() + row, sum);
            }
        }
        memory.wrote(c, size * g.dtype().bytes());
    }

    /** The last column may end with its matrix: elements that the leading dimension adds behind it are not read. */
    private static Tensor tensor(DType t, long address, long elements) {
        return new Tensor(t, Shape.of(Math.toIntExact(elements)), MemorySegment.ofAddress(address)
                .reinterpret(elements * t.bytes()));
    }

    @Override
    public void close() {
        closed.run();
    }
}
