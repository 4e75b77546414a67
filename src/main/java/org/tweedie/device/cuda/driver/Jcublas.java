// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasGemmEx_new;
import static jcuda.jcublas.JCublas2.cublasGemmStridedBatchedEx_new;
import static jcuda.jcublas.JCublas2.cublasGetVersion;
import static jcuda.jcublas.JCublas2.cublasSetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static jcuda.jcublas.JCublas2.cublasSetWorkspace;

import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import org.tweedie.program.DType;

/** Calls cuBLAS through JCublas. Sums of products are F32, and F32 operands are not rounded to TF32. */
final class Jcublas implements Blas {
    private final cublasHandle handle = new cublasHandle();
    private final Pointer one = Pointer.to(new float[] {1});
    private final Pointer zero = Pointer.to(new float[] {0});

    Jcublas(CUstream stream, long workspace, long bytes) {
        JCublas2.setExceptionsEnabled(false);
        check("cublasCreate", cublasCreate(handle), "while opening cuBLAS");
        try {
            check("cublasSetStream", cublasSetStream(handle, new cudaStream_t(stream)), "while opening cuBLAS");
            check("cublasSetWorkspace", cublasSetWorkspace(handle, new Address(workspace), bytes), "while opening cuBLAS");
            check("cublasSetMathMode", cublasSetMathMode(handle, cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION),
                    "while opening cuBLAS");
        } catch (CudaException e) {
            close();
            throw e;
        }
    }

    private static void check(String call, int status, String doing) {
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new CudaException(call, status, cublasStatus.stringFor(status), words(status)).at(doing);
        }
    }

    private static String words(int status) {
        return switch (status) {
            case cublasStatus.CUBLAS_STATUS_NOT_INITIALIZED ->
                    "the library could not be set up, because there is no card or no memory left on it";
            case cublasStatus.CUBLAS_STATUS_ALLOC_FAILED -> "there is no memory left on the card";
            case cublasStatus.CUBLAS_STATUS_INVALID_VALUE -> "an argument is out of range";
            case cublasStatus.CUBLAS_STATUS_ARCH_MISMATCH -> "the card is too old for the library";
            case cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED -> "the kernel did not run";
            case cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED -> "it is not supported";
            default -> "the error is internal to the library";
        };
    }

    @Override
    public int version() {
        int[] v = new int[1];
        check("cublasGetVersion", cublasGetVersion(handle, v), "while opening cuBLAS");
        return v[0];
    }

    @Override
    public void gemm(Gemm g, long a, long b, long c) {
        int type = type(g.dtype());
        int opA = g.transA() ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
        int opB = g.transB() ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
        Pointer beta = g.beta() == 0 ? zero : one;
        int compute = cublasComputeType.CUBLAS_COMPUTE_32F;
        int algorithm = cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;
        if (g.count() == 1) {
            check("cublasGemmEx", cublasGemmEx_new(handle, opA, opB, g.m(), g.n(), g.k(), one, new Address(a), type, g.lda(),
                    new Address(b), type, g.ldb(),
                    beta, new Address(c), type, g.ldc(), compute, algorithm), "for " + g);
        } else {
            check("cublasGemmStridedBatchedEx", cublasGemmStridedBatchedEx_new(handle, opA, opB, g.m(), g.n(), g.k(), one,
                    new Address(a), type, g.lda(), g.strideA(),
                    new Address(b), type, g.ldb(), g.strideB(), beta, new Address(c), type, g.ldc(), g.strideC(), g.count(),
                    compute, algorithm), "for " + g);
        }
    }

    private static int type(DType t) {
        return switch (t) {
            case F32 -> cudaDataType.CUDA_R_32F;
            case F16 -> cudaDataType.CUDA_R_16F;
            case BF16 -> cudaDataType.CUDA_R_16BF;
            default -> throw new IllegalArgumentException("cublas: expected F32, F16 or BF16, got " + t);
        };
    }

    @Override
    public void close() {
        cublasDestroy(handle);
    }
}
