// SPDX-License-Identifier: Apache-2.0
/** Implements the instructions of PTX. */
package org.tweedie.ptx.instruction;
