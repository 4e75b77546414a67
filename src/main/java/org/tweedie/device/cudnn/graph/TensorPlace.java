// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.graph;

/** Says where a graph's tensor is stored when the graph runs. */
public sealed interface TensorPlace {
    /** The tensor is the call's operand of that number. */
    record In(int number) implements TensorPlace {}

    /** The tensor is the call's result of that number. */
    record Out(int number) implements TensorPlace {}

    /** The tensor is in working memory, from that byte on. */
    record Scratch(long offset) implements TensorPlace {}

    /** The tensor is a number that the graph multiplies with; cuDNN reads it from the host when the graph is started. */
    record Scalar(float value) implements TensorPlace {}

    /** The tensor is not stored: it exists between two operations only. */
    record Virtual() implements TensorPlace {}
}
