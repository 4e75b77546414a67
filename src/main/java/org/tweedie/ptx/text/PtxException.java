// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

/**
 * The PTX text is malformed or uses something that the machine does not know, or a launch does not fit its kernel. The message
 * says which line is meant.
 */
public final class PtxException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    public PtxException(String message) {
        super(message);
    }
}
