// SPDX-License-Identifier: Apache-2.0

/**
 * The steps of a plan with their arguments and buffers: a {@link org.tweedie.device.gpu.launch.Launch launch} of one of our
 * kernels or a {@link org.tweedie.device.gpu.launch.LibraryCall call} of a vendor's library.
 *
 * <p>The rooms kernel, fusion and plan may use it, and so may the devices that run a plan.
 */
package org.tweedie.device.gpu.launch;
