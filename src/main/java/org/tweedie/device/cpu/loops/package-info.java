// SPDX-License-Identifier: Apache-2.0
/** Prepares the CPU's kernel for each op: vector loops in Java, and products by oneDNN. */
package org.tweedie.device.cpu.loops;
