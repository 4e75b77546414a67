// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

/**
 * The memory that a device takes for programs.
 *
 * @param weights the bytes of constants, in the types and layouts that kernels read, and of what is needed to lay them out
 * @param arena the bytes of the arena, in which all other values and all working memory are
 */
public record Footprint(long weights, long arena) {
    /** Weights and arena together. */
    public long bytes() {
        return weights + arena;
    }
}
