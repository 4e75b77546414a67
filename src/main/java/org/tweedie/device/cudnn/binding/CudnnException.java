// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

/** A call of cuDNN that failed: which, with what status and text, and what was being done. */
public final class CudnnException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;

    CudnnException(String call, int status, String text, String doing) {
        this("cuDNN: " + call + " failed with " + text + "; while " + doing, status, null);
    }

    private CudnnException(String message, int status, CudnnException cause) {
        super(message, cause);
        this.status = status;
    }

    /** The same, saying more of what it was for, as in {@code in program 'unet'}. */
    public CudnnException at(String more) {
        return new CudnnException(getMessage() + " " + more, status, this);
    }

    /** Of cudnnStatus_t: 1xxx not initialised, 2xxx bad parameter, 3xxx not supported, 4xxx internal, 5xxx execution failed. */
    public int status() {
        return status;
    }

    /** Whether the library says that it cannot do this, rather than that something went wrong. */
    public boolean notSupported() {
        return status / 1000 == 3;
    }

    /** Whether something is wrong with the library or the machine, rather than with what was asked: 1xxx, 4xxx, 5xxx. */
    public boolean broken() {
        return status / 1000 != 2 && !notSupported();
    }
}
