// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import org.tweedie.program.DType;

/**
 * cuBLAS: it computes C = A' B' + beta C for matrices stored by column, as its documentation describes. Sums are F32 whatever the
 * storage is.
 */
public interface Blas extends AutoCloseable {
    /** Returns the version, for example 120600. */
    int version();

    /**
     * Starts a product.
     *
     * @param a address of A; b and c are those of B and C
     */
    void gemm(Gemm g, long a, long b, long c);

    @Override
    void close();

    /**
     * A matrix product, or many of the same kind: A' [m,k], B' [k,n], C [m,n], stored by column.
     *
     * @param transA whether A' is A with its axes exchanged
     * @param lda the elements from a column of A to the next
     * @param strideA the elements from an A to the next; 0 where all products have the same A
     * @param count the number of products
     */
    record Gemm(DType dtype, boolean transA, boolean transB, int m, int n, int k, int lda, long strideA, int ldb, long strideB,
            int ldc, long strideC,
            int count, float beta) {}
}
