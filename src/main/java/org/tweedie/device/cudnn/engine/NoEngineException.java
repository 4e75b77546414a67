// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

/** cuDNN has no engine for a graph, or none that may be used. A user cannot change that by asking for something else. */
public final class NoEngineException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    public NoEngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
