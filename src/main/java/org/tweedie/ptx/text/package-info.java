// SPDX-License-Identifier: Apache-2.0
/**
 * Parses PTX text into a tree of kernels, variables and statements.
 *
 * <p>The other packages of the PTX machine may use it; it uses none of them.
 */
package org.tweedie.ptx.text;
