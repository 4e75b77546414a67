// SPDX-License-Identifier: Apache-2.0
/**
 * Prepares the CPU's kernel for each op: vector loops in Java, and products by oneDNN.
 *
 * <p>Only the device {@code cpu} may use it.
 */
package org.tweedie.device.cpu.loops;
