// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

/** PTX text that is malformed or beyond what the machine knows, or a launch that does not fit its kernel; the message says which line. */
public final class PtxException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    public PtxException(String message) {
        super(message);
    }
}
