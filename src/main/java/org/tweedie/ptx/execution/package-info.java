// SPDX-License-Identifier: Apache-2.0
/**
 * Executes decoded kernels: blocks, warps and registers, memory with its checks, and the base class of instructions.
 *
 * <p>The other packages of the PTX machine may use it.
 */
package org.tweedie.ptx.execution;
