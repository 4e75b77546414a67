// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import org.tweedie.program.DType;

/** cuBLAS: C = A' B' + beta C for matrices by column, as its documentation has it; sums in F32 whatever the storage. */
public interface Blas extends AutoCloseable {
    /** As in 120600. */
    int version();

    /** @param a address of A, and so on */
    void gemm(Gemm g, long a, long b, long c);

    @Override
    void close();

    /**
     * A product of matrices, or many of a kind: A' [m,k], B' [k,n], C [m,n], by column.
     *
     * @param transA whether A' is A with its axes exchanged
     * @param lda elements from a column of A to the next
     * @param strideA elements from an A to the next; 0 where all products have the same
     * @param count how many products
     */
    record Gemm(DType dtype, boolean transA, boolean transB, int m, int n, int k, int lda, long strideA, int ldb, long strideB, int ldc, long strideC,
            int count, float beta) {}
}
