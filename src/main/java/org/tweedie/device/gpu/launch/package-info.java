// SPDX-License-Identifier: Apache-2.0

/**
 * The steps of a plan, and what they are told of: a {@link org.tweedie.device.gpu.launch.Launch launch} of one of our kernels or a
 * {@link org.tweedie.device.gpu.launch.LibraryCall call} of a vendor's library, with arguments and buffers.
 */
package org.tweedie.device.gpu.launch;
