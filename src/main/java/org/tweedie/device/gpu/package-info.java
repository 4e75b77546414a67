// SPDX-License-Identifier: Apache-2.0
/**
 * The lowering for GPUs turns a program into a {@code Plan} of kernel launches and library calls, which holds no address
 * and belongs to no device. {@code Fusion} finds what one kernel does for several instructions.
 *
 * <p>The devices {@code cuda} and {@code sim} may depend on this package, and so may {@code device.cudnn}.
 */
package org.tweedie.device.gpu;
