// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

/**
 * What a device reaches at best, as measured on it: no op can be faster than both let it.
 *
 * @param how what was measured, for people
 * @param bytesPerSecond of a long copy in its memory, bytes read and bytes written counted
 * @param flopsPerSecond of a large product of matrices in the type in which networks are stored
 */
public record Ceilings(String how, double bytesPerSecond, double flopsPerSecond) {}
