// SPDX-License-Identifier: Apache-2.0
/**
 * Runs programs on an NVIDIA card. Start reading at {@link org.tweedie.device.cuda.CudaDevice}, which owns the card's memory and
 * kernels; {@code CudaExecutable} is a program ready to run and {@code Sequence} its launches. In the package {@code driver},
 * {@code Driver} and {@code Blas} list all calls of CUDA and cuBLAS that we make, and {@code Jcuda} and {@code Jcublas} make
 * them. {@code Opening} finds and loads the libraries.
 *
 * <p>Only {@code Devices} may depend on this package.
 */
package org.tweedie.device.cuda;
