// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

/** One argument of a kernel, in the order of its parameters. */
public sealed interface Arg {
    /** A pointer to what the kernel only reads. */
    record In(Buffer buffer) implements Arg {}

    /**
     * A pointer to what the kernel writes, all of it; it may take the place of an input if the kernel is said to run in place.
     */
    record Out(Buffer buffer) implements Arg {}

    /** A pointer to what the kernel reads and writes: working memory, or a sum that grows. */
    record InOut(Buffer buffer) implements Arg {}

    /** No buffer: a null pointer, for what a kernel takes only sometimes (a bias). */
    record None() implements Arg {}

    record I32(int value) implements Arg {}

    record I64(long value) implements Arg {}

    record F32(float value) implements Arg {}

    record F64(double value) implements Arg {}

    /** A struct passed by value: an array of 32-bit integers. */
    record Ints(int... values) implements Arg {}
}
