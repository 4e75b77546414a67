// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

/** What CUDA, cuBLAS or the card refused: the call, its status by name and in words, and what was being done. */
public final class CudaException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** CUDA_ERROR_OUT_OF_MEMORY. */
    public static final int OUT_OF_MEMORY = 2;
    private static final int CAPTURE_FIRST = 900;
    private static final int CAPTURE_LAST = 908;

    private final int status;
    private final String call;
    private final String failure;
    private final String doing;

    /**
     * @param call the function, as in cuMemAlloc
     * @param status its number
     * @param name the status by name, as in CUDA_ERROR_OUT_OF_MEMORY
     * @param text the status in the library's words
     */
    public CudaException(String call, int status, String name, String text) {
        this(call, status, name + " (" + text + ")", "", null);
    }

    private CudaException(String call, int status, String failure, String doing, CudaException cause) {
        super("cuda: " + call + " failed with " + failure + doing, cause);
        this.call = call;
        this.status = status;
        this.failure = failure;
        this.doing = doing;
    }

    /** The same, saying more of what it was for, as in {@code while loading kernels/norm.ptx}. */
    public CudaException at(String more) {
        return new CudaException(call, status, failure, doing + " " + more, this);
    }

    /** One of CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED to CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD: what was put on the stream cannot be part of a graph. */
    public boolean ofCapture() {
        return status >= CAPTURE_FIRST && status <= CAPTURE_LAST;
    }

    public boolean outOfMemory() {
        return status == OUT_OF_MEMORY;
    }

    /** The CUresult or cublasStatus. */
    public int status() {
        return status;
    }
}
