// SPDX-License-Identifier: Apache-2.0

/**
 * A program lowered for a GPU: {@link org.tweedie.device.gpu.plan.Plan} joins kernels, places in memory and constants.
 */
package org.tweedie.device.gpu.plan;
