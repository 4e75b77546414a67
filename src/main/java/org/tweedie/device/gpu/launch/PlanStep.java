// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

/**
 * One thing that a device does for a program: a launch of a kernel of ours, or a call of a library. The steps
 * of a plan run one after the other.
 */
public sealed interface PlanStep permits Launch, LibraryCall {
    /** The bytes of memory that it reads and writes, each buffer once. */
    long bytes();
}
