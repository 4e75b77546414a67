// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

/**
 * CUDA, cuBLAS or the card has refused a call. The message names the call, its status by name and in words, and what it was
 * needed for.
 */
public final class CudaException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The value of CUDA_ERROR_OUT_OF_MEMORY. */
    public static final int OUT_OF_MEMORY = 2;
    private static final int CAPTURE_FIRST = 900;
    private static final int CAPTURE_LAST = 908;

    private final int status;
    private final String call;
    private final String failure;
    private final String doing;

    /**
     * Makes the exception of a call.
     *
     * @param call the function, for example cuMemAlloc
     * @param status the number of its status
     * @param name the name of the status, for example CUDA_ERROR_OUT_OF_MEMORY
     * @param text the library's description of the status
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

    /**
     * Returns this exception with a message that says more about what the call was for, for example {@code while loading
     * kernels/norm.ptx}.
     */
    public CudaException at(String more) {
        return new CudaException(call, status, failure, doing + " " + more, this);
    }

    /**
     * Tells whether something that was put on the stream cannot be part of a graph: the status is one of
     * CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED to CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD.
     */
    public boolean ofCapture() {
        return status >= CAPTURE_FIRST && status <= CAPTURE_LAST;
    }

    public boolean outOfMemory() {
        return status == OUT_OF_MEMORY;
    }

    /** Returns the CUresult or cublasStatus. */
    public int status() {
        return status;
    }
}
