// SPDX-License-Identifier: Apache-2.0

/**
 * A program lowered for a GPU: {@link org.tweedie.device.gpu.plan.Plan} joins kernels, places in memory and constants.
 *
 * <p>The devices cuda and sim may use it, and so may the command profile, which counts the work of a plan.
 */
package org.tweedie.device.gpu.plan;
