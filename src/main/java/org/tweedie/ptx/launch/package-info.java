// SPDX-License-Identifier: Apache-2.0
/**
 * Holds what a caller gives to a launch of the PTX machine (sizes, options, memory) and gets back from it (counts, faults).
 *
 * <p>Whoever runs kernels on the machine may use it.
 */
package org.tweedie.ptx.launch;
