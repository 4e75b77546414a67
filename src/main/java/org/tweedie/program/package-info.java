// SPDX-License-Identifier: Apache-2.0
/**
 * A {@code Program} is an immutable list of instructions over a closed set of ops. {@code Tracer} writes one,
 * {@code Tensor} holds its data, and {@code Philox} draws its random numbers.
 *
 * <p>Every package may depend on this package. It depends on nothing above.
 */
package org.tweedie.program;
