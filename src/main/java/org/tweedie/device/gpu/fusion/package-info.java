// SPDX-License-Identifier: Apache-2.0

/**
 * Which instructions of a program one kernel does together, in which type each value is stored, and where a value is converted.
 */
package org.tweedie.device.gpu.fusion;
