// SPDX-License-Identifier: Apache-2.0
/**
 * An NVIDIA card. Read {@link org.tweedie.device.cuda.CudaDevice} (what it holds), {@code CudaExecutable} (a run), {@code Sequence} (launches, ready);
 * {@code Driver} and {@code Blas} are all that is asked of CUDA, {@code Jcuda} and {@code Jcublas} ask it; {@code Opening} finds and loads what is needed.
 */
package org.tweedie.device.cuda;
