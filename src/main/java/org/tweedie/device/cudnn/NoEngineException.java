// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

/** cuDNN has no engine for a graph, or none that may be used. */
final class NoEngineException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    NoEngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
