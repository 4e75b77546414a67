// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

/** One thing that a device does for a program: a launch of a kernel of ours, or a call of a library. In order, one after the other. */
public sealed interface PlanStep permits Launch, LibraryCall {
    /** What it reads and writes, in bytes as it lies in memory, each buffer once. */
    long bytes();
}
