// SPDX-License-Identifier: Apache-2.0
/**
 * Implements the instructions of PTX.
 *
 * <p>The decoder may use it.
 */
package org.tweedie.ptx.instruction;
