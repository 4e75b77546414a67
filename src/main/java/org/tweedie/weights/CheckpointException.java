// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;

/**
 * A file of a checkpoint cannot be read or written. The message is one line: which file, which tensor, what is wrong, what to do.
 */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1L;

    CheckpointException(String message) {
        super(message);
    }

    CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }

    static CheckpointException of(String file, String problem) {
        return new CheckpointException(file + ": " + problem);
    }

    static CheckpointException of(String file, String tensor, String problem) {
        return new CheckpointException(file + ": tensor " + Quote.of(tensor) + ": " + problem);
    }
}
