// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

/** A call of cuDNN has failed. The message says which call, with what status and text, and what it was needed for. */
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

    /**
     * Returns this exception with a message that says more about what the call was for, for example {@code in program 'unet'}.
     */
    public CudnnException at(String more) {
        return new CudnnException(getMessage() + " " + more, status, this);
    }

    /**
     * Returns the cudnnStatus_t: 1xxx not initialised, 2xxx bad parameter, 3xxx not supported, 4xxx internal, 5xxx execution
     * failed.
     */
    public int status() {
        return status;
    }

    /** Tells whether the library says that it does not support what was asked, rather than that something went wrong. */
    public boolean notSupported() {
        return status / 1000 == 3;
    }

    /** Tells whether something is wrong with the library or the machine (1xxx, 4xxx, 5xxx), rather than with what was asked. */
    public boolean broken() {
        return status / 1000 != 2 && !notSupported();
    }
}
