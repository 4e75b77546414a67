// SPDX-License-Identifier: Apache-2.0
/**
 * The device {@code sim} runs what is lowered for a GPU, launch by launch, on the PTX machine, and does a library's part
 * in double.
 *
 * <p>Only {@code Devices} may depend on this package.
 */
package org.tweedie.device.sim;
