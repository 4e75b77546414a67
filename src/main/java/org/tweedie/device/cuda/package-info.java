// SPDX-License-Identifier: Apache-2.0
/**
 * The device {@code cuda} is an NVIDIA card. {@link org.tweedie.device.cuda.CudaDevice} says what the device holds,
 * {@code CudaExecutable} is a run, and {@code Sequence} holds the launches, ready; {@code Driver} and {@code Blas} are all
 * that is asked of CUDA, {@code Jcuda} and {@code Jcublas} ask it; {@code Opening} finds and loads what is needed.
 *
 * <p>Only {@code Devices} may depend on this package.
 */
package org.tweedie.device.cuda;
