// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.launch;

/**
 * A pointer argument of a launch: the only bytes of global memory that the kernel may reach through it, and whether it may read
 * and write them.
 */
public record Window(String name, long address, long bytes, boolean reads, boolean writes) {}
