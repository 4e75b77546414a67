// SPDX-License-Identifier: Apache-2.0
/**
 * Calls NVIDIA's driver and cuBLAS: {@code Driver} and {@code Blas} list the calls, {@code Jcuda} and {@code Jcublas} make them
 * through JCuda.
 *
 * <p>Only the device {@code cuda} may use it.
 */
package org.tweedie.device.cuda.driver;
