// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

/**
 * A variable in memory.
 *
 * @param space param, shared, local, global or const
 * @param type the type of its elements, for example b8 or f32
 * @param bytes the size of the whole variable; 0 for dynamic shared memory
 * @param init its initial bytes, or null
 */
public record Variable(String name, String space, String type, int align, int bytes, byte[] init) {}
