// SPDX-License-Identifier: Apache-2.0
/**
 * Binds oneDNN and the threads that it shares with our loops.
 *
 * <p>Only the device {@code cpu} may use it.
 */
package org.tweedie.device.cpu.onednn;
