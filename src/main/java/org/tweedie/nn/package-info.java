// SPDX-License-Identifier: Apache-2.0
/**
 * This package holds the layers of networks: records of weights, each with one {@code apply} that emits its instructions.
 *
 * <p>The networks in {@code model} may depend on this package. It knows no device.
 */
package org.tweedie.nn;
