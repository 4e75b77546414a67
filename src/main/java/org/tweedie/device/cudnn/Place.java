// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

/** Where a graph's tensor lies when the graph runs. */
sealed interface Place {
    /** In the call's operand of that number. */
    record In(int number) implements Place {}

    /** In the call's result of that number. */
    record Out(int number) implements Place {}

    /** In working memory, from that byte on. */
    record Scratch(long offset) implements Place {}

    /** A number that the graph multiplies with, read from the host when it is started. */
    record Scalar(float value) implements Place {}

    /** Nowhere: it exists between two operations only. */
    record Virtual() implements Place {}
}
