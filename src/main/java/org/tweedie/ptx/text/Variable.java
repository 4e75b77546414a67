// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

/**
 * A variable in memory.
 *
 * @param space param, shared, local, global or const
 * @param type of its elements, as b8 or f32
 * @param bytes all of it; 0 for dynamic shared memory
 * @param init its bytes at the start, or null
 */
public record Variable(String name, String space, String type, int align, int bytes, byte[] init) {}
