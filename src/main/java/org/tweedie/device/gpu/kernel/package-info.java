// SPDX-License-Identifier: Apache-2.0

/**
 * The Java twins of the sources in {@code kernels/}: each class turns the shapes of an op into launches of one family of kernels.
 * {@link org.tweedie.device.gpu.kernel.GpuLowering} chooses the family for an instruction.
 *
 * <p>The rooms fusion and plan may use it.
 */
package org.tweedie.device.gpu.kernel;
