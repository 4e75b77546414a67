// SPDX-License-Identifier: Apache-2.0
/**
 * Decodes the statements of a kernel into instructions.
 *
 * <p>Only the machine itself may use it.
 */
package org.tweedie.ptx.decode;
