// SPDX-License-Identifier: Apache-2.0
/**
 * The device {@code cpu} computes in F32 on this machine's processor: oneDNN does convolutions and products, loops on the
 * Vector API do the rest. {@code Lowering} picks the kernels.
 *
 * <p>Only {@code Devices} may depend on this package.
 */
package org.tweedie.device.cpu;
