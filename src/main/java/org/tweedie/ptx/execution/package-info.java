// SPDX-License-Identifier: Apache-2.0
/** Executes decoded kernels: blocks, warps and registers, memory with its checks, and the base class of instructions. */
package org.tweedie.ptx.execution;
