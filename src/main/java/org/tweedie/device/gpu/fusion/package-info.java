// SPDX-License-Identifier: Apache-2.0

/**
 * Decides which instructions of a program one kernel does together, in which type each value is stored, and where one is
 * converted.
 *
 * <p>Only the room plan may use it.
 */
package org.tweedie.device.gpu.fusion;
