// SPDX-License-Identifier: Apache-2.0
/**
 * This package finds NVIDIA's libraries, explains what is missing of them, loads them and fetches them.
 *
 * <p>The command line and the device {@code cuda} may depend on this package. It knows no device and not JCuda.
 */
package org.tweedie.device.nvidia;
