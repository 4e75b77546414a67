// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.graph;

/** Where a graph's tensor lies when the graph runs. */
public sealed interface TensorPlace {
    /** In the call's operand of that number. */
    record In(int number) implements TensorPlace {}

    /** In the call's result of that number. */
    record Out(int number) implements TensorPlace {}

    /** In working memory, from that byte on. */
    record Scratch(long offset) implements TensorPlace {}

    /** A number that the graph multiplies with, read from the host when it is started. */
    record Scalar(float value) implements TensorPlace {}

    /** Nowhere: it exists between two operations only. */
    record Virtual() implements TensorPlace {}
}
