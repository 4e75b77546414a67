// SPDX-License-Identifier: Apache-2.0
/**
 * This package holds the layers of networks: records of weights, each with one method {@code apply} that traces its
 * instructions.
 *
 * <p>The networks in {@code model} may depend on this package. It depends on no device.
 */
package org.tweedie.nn;
